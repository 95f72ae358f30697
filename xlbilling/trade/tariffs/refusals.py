"""Why a rate row cannot be used or a service cannot be priced: every kind of problem the tariffs raise."""

from __future__ import annotations

from typing import Final

from xlbilling.words.problems import declare

RATE_ROW: Final = declare(
    "rate_row",
    "A row of the Rates table cannot be used as it stands.",
    "Correct the row; until then nothing is priced on its schedule.",
)
RATE_DUPLICATE: Final = declare(
    "rate_duplicate",
    "Two rows of the Rates table price the same thing from the same day.",
    "Delete one of the two rows.",
)
RATE_NAMES: Final = declare(
    "rate_names",
    "A formula of the Rates table needs itself, or bills something that is not there.",
    "Correct the formula or add the missing row.",
)
UNKNOWN_SCHEDULE: Final = declare(
    "unknown_schedule",
    "There is no such rate schedule or customer class.",
    "Correct the schedule or class of the service, or add it to Rates.",
)
SCHEDULE_UNUSABLE: Final = declare(
    "schedule_unusable",
    "The rate schedule has a row that cannot be used, so nothing is priced on it.",
    "Correct the row on Rates and price again.",
)
NO_RATE: Final = declare(
    "no_rate_in_force",
    "No rate is in force on some of the days that are billed.",
    "Add the rates for those days, or correct the dates.",
)
MISSING_INPUT: Final = declare(
    "missing_input",
    "The rate schedule needs something the service does not give.",
    "Fill it in on Services.",
)
UNKNOWN_KEY: Final = declare(
    "unknown_key",
    "The rate schedule has no price for this key.",
    "Correct the service, or add the key to Rates.",
)
BAD_NUMBER: Final = declare(
    "bad_number",
    "A number cannot be read exactly.",
    "Write it with digits and a decimal point only.",
)
NEGATIVE_CONSUMPTION: Final = declare(
    "negative_consumption",
    "Consumption below zero is not billed.",
    "Correct the reads; give a credit as an adjustment.",
)
BAD_PERIOD: Final = declare(
    "bad_service_period",
    "The service period has no days.",
    "Correct the dates of the reads.",
)
NO_ARITHMETIC: Final = declare(
    "no_arithmetic",
    "A formula cannot be worked out for this service.",
    "Check the inputs of the service and the formula on Rates.",
)
INPUT_SHADOWS: Final = declare(
    "input_shadows_field",
    "A service gives a value for something the rate schedule itself defines.",
    "Leave the input empty, or take the row out of the schedule.",
)
