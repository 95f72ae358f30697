"""How many examples a property is tried on: by the profile of the run, never set in a test.

HYPOTHESIS_PROFILE names it: quick for a look while working, ci (as it is without a name), nightly for a long search.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

for profile, examples in {"quick": 15, "ci": 80, "nightly": 1000}.items():
    settings.register_profile(
        profile, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

costly = settings(max_examples=settings.default.max_examples // 4)
"""For a property whose examples take long, such as one that writes files: a quarter of the others."""
