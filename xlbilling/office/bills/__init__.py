"""Bills: runs and their drafts, rates, audit, explanation, studies."""
