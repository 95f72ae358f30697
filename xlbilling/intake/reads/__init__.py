"""Files of meter reads: exact rows and listed rejects from whatever the reading system sends."""

from __future__ import annotations

from xlbilling.intake.reads.parsed import Balance, ParsedReads, parse_reads
from xlbilling.intake.reads.recipe import Proposal, Recipe, fitting_recipes, learn_recipe, propose_recipe

__all__ = [
    "Balance",
    "ParsedReads",
    "Proposal",
    "Recipe",
    "fitting_recipes",
    "learn_recipe",
    "parse_reads",
    "propose_recipe",
]
