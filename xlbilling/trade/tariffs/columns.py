"""The Rates table: its columns and the kinds of charge, each with its meaning, declared in one place."""

from __future__ import annotations

from typing import Final

RATE_COLUMNS: Final[dict[str, str]] = {
    "tariff": "Name of the rate schedule.",
    "customer_class": "Customer class this row is for.",
    "component": "The charge (or named quantity) this row prices.",
    "kind": "How the component is worked out; one of KINDS.",
    "keys": 'What this row is for: name=value, several joined by "; "; name>=number for the last start reached.',
    "tier": "Tier number from 1; 0 where the component has no tiers.",
    "from_unit": "First unit billed at this tier (number or formula), so that the tier before ends one unit below.",
    "cap": "Last unit of this tier (kind tiered); reach of this tier: units, indoor, outdoor or N% (kind budget).",
    "rate": "Amount, price per unit or percentage, as decimal text.",
    "expression": "Formula text (kind formula or lookup), what is counted (per_unit), the charges taken as the base, "
    "or a season's first day, MM-DD.",
    "unit": "Unit the quantity is billed in.",
    "gl_account": "Revenue account of the charge.",
    "effective_from": "First day the row is in force.",
    "effective_to": "Last day the row is in force; blank while nothing newer replaces it. Optional column.",
    "applies_by": "What a change of rates goes by: service_days, read_date or bill_date.",
    "resolution": "Resolution that set the row.",
    "rounding": "Rounding of the charge line: half_up (also when blank) or half_even, to the cent.",
    "position": "Printed order of the charge.",
    "description": "Words for the bill or the office.",
    "on_bill": '"no" for a component that only other rows use; blank is a printed charge. Optional column.',
    "rate_id": "Number of the row, for the audit formulas. Optional column; without it the row's position serves.",
}

OPTIONAL_COLUMNS: Final = frozenset({"effective_to", "on_bill", "rate_id"})

KINDS: Final[dict[str, str]] = {
    "fixed": "The rate, once a service period.",
    "flat": "Rate times consumption.",
    "tiered": "Each tier's units times its price; from_unit is the first unit of a tier.",
    "budget": "Each tier's units times its price; cap is where a tier ends, in units or parts of the budget.",
    "percentage": "The rate in percent of the unrounded charges named in the formula; blank: all charges above.",
    "per_unit": "Rate times the input or quantity named in the formula, such as dwelling_units.",
    "minimum": "What is missing to the rate from the charges named in the formula; blank: all charges above.",
    "cap": "The credit that brings the charges named in the formula down to the rate.",
    "formula": "The formula's value, once a service period.",
    "lookup": "A named quantity other rows use (rate or formula, by key); never a charge itself.",
    "season": "Says which season a day is in: keys names it, the formula its first day each year; never a charge itself.",
    "input": "Declares an input a service must give; never a charge itself.",
}

NEVER_BILLED: Final = frozenset({"lookup", "season", "input"})
APPLIES_BY: Final = ("service_days", "read_date", "bill_date")
ROUNDINGS: Final = ("half_up", "half_even")
CONSUMPTION_NAMES: Final = frozenset({"consumption", "usage_ccf"})
PART_OF_CONSUMPTION: Final = "consumption_"  # begins the inputs that are part of the consumption: consumption_high
SERVICE_DAYS: Final = "service_days"
