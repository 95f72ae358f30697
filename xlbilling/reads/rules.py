"""The district's rules for reads, as they stand on the Policy sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from xlbilling.problems import Place, Refusal, Severity, declare

POLICY_MISSING: Final = declare(
    "policy_missing",
    "A rule of the district is missing from the Policy sheet.",
    "Add the row on sheet Policy and press Save.",
)
POLICY_WRONG: Final = declare(
    "policy_wrong",
    "A rule on the Policy sheet has a value that cannot be used.",
    "Correct the value on sheet Policy and press Save.",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One read check: what it looks for, the usual threshold and severity."""

    name: str
    threshold: str
    severity: str
    meaning: str
    remedy: str


CHECKS: Final[dict[str, Check]] = {
    check.name: check
    for check in (
        Check("missing_read", "", "block", "A register due in this cycle has no read.", "Get the read, or decide estimate."),
        Check("no_read", "", "block", "The reading system says it could not read the meter.", "Send for a re-read, or decide estimate."),
        Check("unknown_meter", "", "review", "The file has a meter that is on no active service.", "Correct the meter number on sheet Meters, or ask the reading crew."),
        Check("duplicate_read", "", "block", "A register has two different reads in the window.", "Decide override with the right dial."),
        Check("outside_window", "", "block", "The read's day is outside the cycle's read window.", "Correct the window on sheet Cycles, or decide accept."),
        Check("wrong_unit", "", "block", "The read's unit is not the meter's unit.", "Correct the unit on sheet Meters, or decide override."),
        Check("too_many_dials", "", "block", "The dial has more digits than the meter.", "Correct the dials on sheet Meters, or decide override."),
        Check("read_below_last", "", "block", "The read is below the last one and a rollover would mean too much.", "Confirm the rollover (accept), or ask for a re-read."),
        Check("rollover", "", "review", "The dial has rolled over past its last digit.", "Confirm the rollover, or ask for a re-read."),
        Check("spike", "1000", "block", "Consumption per day is at or above this % of what it is compared with.", "Ask for a re-read, or accept with a reason."),
        Check("first_read_high", "10000", "block", "No history, and consumption is at or above this % of the class.", "Ask for a re-read, or accept with a reason."),
        Check("high", "200", "review", "Consumption per day is at or above this % of last year and the recent average.", "Look at the read; tell the customer about a possible leak."),
        Check("low", "50", "review", "Consumption per day is below this % of last year and the recent average.", "Look for a slowing meter or a vacant premise."),
        Check("zero", "", "info", "No consumption where there was some before.", "Look for a vacant premise or a stuck meter."),
        Check("inactive_consumption", "", "block", "An inactive service has consumption.", "Find who is using water; open an account, or decide accept to leave it."),
        Check("estimates_in_row", "2", "review", "More bills in a row than this are estimated.", "Get an actual read."),
        Check("suspect", "", "review", "The reading system marks the read as suspect.", "Look at the read."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings and checks of the district; a missing setting is refused, never defaulted in silence."""

    settings: Mapping[tuple[str, str], str]
    severities: Mapping[str, str]

    @classmethod
    def of(cls, policy: pd.DataFrame) -> Rules:
        """The rules of a policy frame with columns topic, setting, value, severity."""
        rows: list[Any] = list(policy.itertuples())
        settings = {(r.topic, r.setting): r.value.strip() for r in rows}
        return cls(settings, {r.setting: r.severity for r in rows if r.topic == "check"})

    def text(self, topic: str, setting: str) -> str:
        value = self.settings.get((topic, setting))
        if value is None:
            raise Refusal(
                POLICY_MISSING.at(Place(table="policy", key=f"{topic} / {setting}"), f"there is no rule {setting!r}")
            )
        return value

    def fraction(self, topic: str, setting: str) -> Fraction:
        value = self.text(topic, setting)
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            place = Place(table="policy", key=f"{topic} / {setting}", column="value")
            raise Refusal(POLICY_WRONG.at(place, f"{value!r} is not a number")) from None

    def whole(self, topic: str, setting: str) -> int:
        value = self.fraction(topic, setting)
        if value.denominator != 1:
            place = Place(table="policy", key=f"{topic} / {setting}", column="value")
            raise Refusal(POLICY_WRONG.at(place, f"{value} is not a whole number"))
        return int(value)

    def choice(self, topic: str, setting: str, *choices: str) -> str:
        value = self.text(topic, setting)
        if value not in choices:
            place = Place(table="policy", key=f"{topic} / {setting}", column="value")
            raise Refusal(POLICY_WRONG.at(place, f"{value!r} is not one of {', '.join(choices)}"))
        return value

    def severity(self, check: str) -> Severity | None:
        """How grave a finding of this check is; None where the district has switched the check off."""
        named = self.severities.get(check)
        if named is None:
            raise Refusal(
                POLICY_MISSING.at(Place(table="policy", key=f"check / {check}"), f"there is no check {check!r}")
            )
        return None if named == "off" else named  # type: ignore[return-value]

    def percent(self, check: str) -> float:
        """A check's threshold in percent as a ratio: 200 -> 2.0."""
        return float(self.fraction("check", check)) / 100
