"""The district's rules as they stand on the Policy sheet, each as of a day: no reader takes the whole sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, NewType

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.units import same
from xlbilling.words.problems import Place, Refusal, declare

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
ANY: Final = "any"
OFF: Final = "off"
METHODS: Final = ("prior_year", "average", "class")
_BETWEEN: Final = " / "  # with its spaces: a meter size such as 5/8" has a stroke of its own


InForce = NewType("InForce", pd.DataFrame)  # rows of Policy of one day; only `in_force` makes it
IN_FORCE: Final = "in force"
COMING: Final = "coming"
WAS: Final = "was"


def in_force(policy: pd.DataFrame, day: dt.date) -> InForce:
    """The rules of one day: of each setting the row with the latest first day that is not after it.

    `policy` (topic, setting, effective_from: datetime64, NaT for always, and whatever more) in any order, one row for a
    setting and first day; its rows and columns as they are. A setting whose rows all come later has none.
    """
    return InForce(policy.loc[states(policy, day).eq(IN_FORCE)])


def states(policy: pd.DataFrame, day: dt.date) -> pd.Series[str]:
    """How each row of Policy stands on a day: in force, coming, or was."""
    rows = policy[["topic", "setting", "effective_from"]].reset_index(drop=True)
    began = rows["effective_from"].astype("datetime64[s]")
    came = rows.loc[~began.gt(pd.Timestamp(day))].sort_values("effective_from", na_position="first")
    current = came.index[~came.duplicated(["topic", "setting"], keep="last")]
    stands = np.full(len(rows), COMING, dtype=object)
    stands[came.index] = WAS
    stands[current] = IN_FORCE
    return pd.Series(stands, index=policy.index, dtype=object)


@dataclass(frozen=True, slots=True)
class Override:
    """A check's own threshold or severity for a customer class, a meter size or both; blank: as for everybody."""

    check: str
    customer_class: str
    meter_size: str
    value: str
    severity: str

    @classmethod
    def named(cls, setting: str, value: str = "", severity: str = "") -> Override | None:
        """The override that a Policy row names, such as high / COMMERCIAL / 2"; None where the row is a plain one."""
        parts = [part.strip() for part in setting.split(_BETWEEN)]
        return cls(parts[0], parts[1], parts[2], value.strip(), severity) if len(parts) == 3 else None

    @property
    def place(self) -> Place:
        key = _BETWEEN.join(("check", self.check, self.customer_class, self.meter_size))
        return Place(table="policy", key=key, column="value")

    def number(self) -> Fraction:
        """Its threshold; refused where it is no number."""
        return _number(self.value, self.place)

    def pair(self) -> tuple[Fraction, Fraction]:
        """Its lower and upper limit; refused where they are none."""
        return _pair(self.value, self.place)

    @property
    def rank(self) -> int:
        """What wins: class and size over class over size over neither."""
        return 2 * (self.customer_class != ANY) + (self.meter_size != ANY)

    def holds(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """The rows (customer_class, meter_size) it is for."""
        made = np.ones(len(rows), dtype=bool)
        for name, wanted in (("customer_class", self.customer_class), ("meter_size", self.meter_size)):
            if wanted != ANY:
                made &= same(rows[name], wanted)
        return made


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings and checks of the district; a missing setting is refused, never defaulted in silence."""

    settings: Mapping[tuple[str, str], str]
    severities: Mapping[str, str]
    overrides: Mapping[str, tuple[Override, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, policy: InForce) -> Rules:
        """The rules in force on a day, with columns topic, setting, value, severity."""
        rows: list[Any] = list(policy.itertuples())
        settings = {(r.topic, r.setting): r.value.strip() for r in rows}
        overrides: dict[str, tuple[Override, ...]] = {}
        for row in (r for r in rows if r.topic == "check"):
            found = Override.named(row.setting, row.value, row.severity)
            if found:
                known = (*overrides.get(found.check, ()), found)
                overrides[found.check] = tuple(sorted(known, key=lambda each: each.rank))
        return cls(settings, {r.setting: r.severity for r in rows if r.topic == "check"}, overrides)

    def text(self, topic: str, setting: str) -> str:
        value = self.settings.get((topic, setting))
        if value is None:
            raise Refusal(
                POLICY_MISSING.at(Place(table="policy", key=f"{topic} / {setting}"), f"there is no rule {setting!r}")
            )
        return value

    def fraction(self, topic: str, setting: str) -> Fraction:
        return _number(self.text(topic, setting), Place(table="policy", key=f"{topic} / {setting}", column="value"))

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

    def methods(self) -> tuple[str, ...]:
        """How consumption is estimated, in the order of `reads / estimate_by`; refused where a word is no method."""
        text = self.text("reads", "estimate_by")
        named = tuple(part.strip() for part in text.split(",") if part.strip())
        if not set(named) <= set(METHODS) or len(set(named)) < len(named):
            place = Place(table="policy", key="reads / estimate_by", column="value")
            raise Refusal(POLICY_WRONG.at(place, f"{text!r} is not an order of {', '.join(METHODS)}"))
        return named

    def severity(self, check: str) -> str | None:
        """How grave a finding of this check is; None where the district has switched the check off."""
        named = self.severities.get(check)
        if named is None:
            raise Refusal(
                POLICY_MISSING.at(Place(table="policy", key=f"check / {check}"), f"there is no check {check!r}")
            )
        return None if named == OFF else named

    def severities_of(self, check: str, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """How grave a finding of the check is for each row (customer_class, meter_size); `off` where it is not checked."""
        made = np.full(len(rows), self.severity(check) or OFF, dtype=object)
        for override in self.overrides.get(check, ()):
            if override.severity:
                made[override.holds(rows)] = override.severity
        return made

    def checked(self, check: str, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """The rows (customer_class, meter_size) that the check is not switched off for."""
        if not self.overrides.get(check):
            return np.full(len(rows), self.severity(check) is not None)
        return np.asarray(self.severities_of(check, rows) != OFF, dtype=bool)

    def thresholds(self, check: str, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """The check's threshold for each row (customer_class, meter_size); the most specific rule of Policy wins."""
        made = np.full(len(rows), float(self.fraction("check", check)))
        for override in self.overrides.get(check, ()):
            if override.value:
                made[override.holds(rows)] = float(override.number())
        return made

    def pair(self, check: str) -> tuple[Fraction, Fraction]:
        """The lower and the upper limit of a check, in percent: 90-110."""
        place = Place(table="policy", key=f"check / {check}", column="value")
        return _pair(self.text("check", check), place)

    def limits(self, check: str, rows: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The check's lower and upper limit for each row (customer_class, meter_size) as ratios: 90-110 -> 0.9, 1.1."""
        low, high = (np.full(len(rows), float(limit / 100)) for limit in self.pair(check))
        for override in self.overrides.get(check, ()):
            if override.value:
                mine, (least, most) = override.holds(rows), override.pair()
                low[mine], high[mine] = float(least / 100), float(most / 100)
        return low, high

    def ratios(self, check: str, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """The check's threshold in percent as a ratio for each row: 200 -> 2.0."""
        return self.thresholds(check, rows) / 100


def _pair(text: str, place: Place) -> tuple[Fraction, Fraction]:
    low, dash, high = text.partition("-")
    if dash:
        least, most = _number(low.strip(), place), _number(high.strip(), place)
        if 0 <= least <= most:
            return least, most
    raise Refusal(POLICY_WRONG.at(place, f"{text!r} is not a lower and an upper limit such as 90-110"))


def _number(text: str, place: Place) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise Refusal(POLICY_WRONG.at(place, f"{text!r} is not a number")) from None
