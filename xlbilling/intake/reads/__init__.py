"""Files of meter reads: exact rows and listed rejects from whatever the reading system sends."""

from __future__ import annotations

from xlbilling.intake.reads.parsed import Balance, ParsedReads, parse_reads
from xlbilling.intake.reads.recipe import Recipe, learn_recipe

__all__ = ["Balance", "ParsedReads", "Recipe", "learn_recipe", "parse_reads"]
