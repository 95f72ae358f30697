"""The district's rules: every setting that is asked for, what it means and its standard value; checked before use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pandas as pd

from xlbilling.intake.receipts import payment_words
from xlbilling.trade.aging import bucket_names
from xlbilling.trade.reads import Rules
from xlbilling.trade.reads.checks import CHECKS
from xlbilling.trade.reads.rules import POLICY_MISSING, POLICY_WRONG, InForce, Override, in_force
from xlbilling.words.problems import Place, Problem, Refusal, declare
from xlbilling.words.records import TABLE, UNITS
from xlbilling.workbook.port import row_keys

POLICY_STANDARD: Final = declare(
    "policy_standard",
    "A rule of the district was not given, so it starts from its standard value.",
    "Look at it on sheet Policy, and change it there if the district does otherwise.",
    "info",
)
POLICY_UNKNOWN: Final = declare(
    "policy_unknown",
    "A rule on Policy is one that nothing asks for.",
    "Correct its topic and setting; docs/convert.md lists the rules there are.",
)
POLICY_GAP: Final = declare(
    "policy_gap",
    "A rule that is always asked for begins with a day, and the days before it have no value.",
    "Add the value of the days before: a row of the same topic and setting with In force from blank. Then press Save.",
)
STAFF: Final = "staff"
SEVERITIES: Final = ("block", "review", "info", "off")


class Standard(NamedTuple):
    """A rule as a fresh store starts with it; `severity` is blank except for checks."""

    topic: str
    setting: str
    value: str
    severity: str
    meaning: str


_SETTINGS: Final = (
    Standard("billing", "billing_unit", "CCF", "", f"Unit consumption is billed in: {', '.join(UNITS)}."),
    Standard("billing", "gallons_per_ccf", "748", "", "Gallons in 100 cubic feet: 748 or 748.052."),
    Standard("billing", "consumption_places", "3", "", "Decimals of the billing unit kept where units are converted."),
    Standard(
        "billing",
        "fractions",
        "bill",
        "",
        "Parts of a unit. bill: billed. truncate: left out. carry: left for the next bill.",
    ),
    Standard("billing", "first_and_last", "whole", "", "First and last bills. whole: in full. days: by their days."),
    Standard("billing", "nominal_days", "61", "", "Days a full bill stands for, where first_and_last is days."),
    Standard(
        "billing",
        "winter_months",
        "",
        "",
        "First and last month of winter, such as 12-2; blank: winter averages are typed.",
    ),
    Standard("reads", "least_difference", "5", "", "High, low and spike speak up from this difference in units on."),
    Standard("reads", "rough_price", "5.00", "", "Rough price of a unit, to put findings in order of money at risk."),
    Standard(
        "reads", "estimate_by", "prior_year, average, class", "", "How reads are estimated; the first that can be."
    ),
    Standard(
        "reads", "estimates_limit", "3", "", "After so many estimated bills in a row no further one is estimated."
    ),
    Standard("aging", "buckets", "30, 60, 90", "", "Last day of each aging bucket, youngest first."),
    Standard("aging", "age_from", "bill_date", "", "What a bill's age counts from: bill_date or due_date."),
)
STANDARD_POLICY: Final[tuple[Standard, ...]] = (
    *_SETTINGS,
    *(Standard("check", c.name, c.threshold, c.severity, f"{c.meaning} {c.remedy}") for c in CHECKS.values()),
)
DISTRICT_NAME: Final = Standard("district", "name", "", "", "Name of the district on reports and bills.")
_KNOWN: Final = {(rule.topic, rule.setting): rule for rule in (DISTRICT_NAME, *STANDARD_POLICY)}


def starting_policy(district: str) -> pd.DataFrame:
    """The rules a fresh store starts from: the standard ones and the district's name, always; columns of sheet Policy."""
    return _always([DISTRICT_NAME._replace(value=district), *STANDARD_POLICY])


def _always(rules: Iterable[Standard]) -> pd.DataFrame:
    """Rules as rows of Policy that are in force always."""
    rows = pd.DataFrame(list(rules), columns=list(Standard._fields)).astype("str")
    always = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]")
    rows = rows.assign(effective_from=always, source=pd.Series("", index=rows.index, dtype="str"))
    return rows[[name for name in TABLE["policy"].columns if name in rows]]


def completed(given: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """The rules given, with the standard ones added that are missing, and what was added or is wrong.

    `given`: the columns of sheet Policy. Every rule added is an info; the district's name has no standard value. A rule
    that nothing asks for, a value or a severity that cannot be used, days without a value, block.
    """
    keys = list(zip(given["topic"], given["setting"], strict=True))
    problems = [
        POLICY_UNKNOWN.at(_place(key), f"there is no rule {key[1]!r} of topic {key[0]!r}")
        for key in keys
        if not _asked_for(key)
    ]
    added = [rule for rule in STANDARD_POLICY if (rule.topic, rule.setting) not in keys]
    problems += [POLICY_STANDARD.at(_place(rule), f"starts as {rule.value or rule.severity}") for rule in added]
    rows = pd.concat([with_meanings(given), _always(added)], ignore_index=True)
    return rows, [*problems, *wrong_values(rows)]


def with_meanings(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of Policy with what they mean, where nobody has said."""
    usual = [_meaning(key) for key in zip(rows["topic"], rows["setting"], strict=True)]
    return rows.assign(meaning=[own or meaning for own, meaning in zip(rows["meaning"], usual, strict=True)])


def _asked_for(key: tuple[str, str]) -> bool:
    """Whether a rule is one that is put: a standard one, a person's role, or a check's for a class or a meter size."""
    override = Override.named(key[1]) if key[0] == "check" else None
    if key[0] == payment_words.TOPIC:
        return True  # what is wrong with such a rule is told with its value
    return key in _KNOWN or key[0] == STAFF or (override is not None and override.check in CHECKS)


def _meaning(key: tuple[str, str]) -> str:
    """What a rule means, for one that nobody has described."""
    override = Override.named(key[1]) if key[0] == "check" else None
    if override is not None and override.check in CHECKS:
        return f"{override.check} for class {override.customer_class}, meter size {override.meter_size}."
    if key[0] == payment_words.TOPIC:
        return "What a word in files of payments means."
    if key[0] == STAFF:
        return "Role of this log-in: clerk, lead or accounting."
    return _KNOWN[key].meaning if key in _KNOWN else ""


def wrong_values(policy: pd.DataFrame) -> list[Problem]:
    """What is wrong with a whole set of rules: of every day the same questions are put that billing will put.

    `policy`: the columns of sheet Policy but rev. Each problem names its row; a rule whose first row leaves days before
    it without a value that is always asked for is told with that row.
    """
    problems = [
        POLICY_WRONG.at(_place((payment_words.TOPIC, str(row.setting)), "value"), fact)
        for row in policy.loc[policy["topic"].eq(payment_words.TOPIC)].itertuples()
        if (fact := payment_words.wrong_rule(str(row.setting), str(row.value)))
    ]
    for day in days_of_change(policy):
        rows = in_force(policy, day)
        named = dict(zip(rows["topic"] + " / " + rows["setting"], row_keys(TABLE["policy"], rows), strict=True))
        for problem in _wrong_on_a_day(rows):
            key = named.get(problem.place.key) if problem.place else None
            problems.append(_named(problem, key) if key else _without_value(policy, problem))
    return list(dict.fromkeys(problems))


def days_of_change(policy: pd.DataFrame) -> list[dt.date]:
    """The days on which other rules begin to be in force, the first of all days among them."""
    return [dt.date.min, *sorted(day.date() for day in policy["effective_from"].dropna().unique())]


def _named(problem: Problem, key: str) -> Problem:
    assert problem.place is not None
    return problem.on(replace(problem.place, key=key))


def _without_value(policy: pd.DataFrame, problem: Problem) -> Problem:
    """A rule that is missing on a day: it is missing for good, or its first row begins later."""
    rows = policy.loc[(policy["topic"] + " / " + policy["setting"]).eq(problem.place.key if problem.place else "")]
    if rows.empty:
        return problem
    first = rows.sort_values("effective_from").iloc[:1]
    name, day = f"{first['topic'].iloc[0]} / {first['setting'].iloc[0]}", first["effective_from"].iloc[0]
    place = Place(table="policy", key=row_keys(TABLE["policy"], first)[0], column="effective_from")
    return POLICY_GAP.at(place, f"{name} has no value before {day:%Y-%m-%d}")


def _wrong_on_a_day(policy: InForce) -> Iterator[Problem]:
    """What is wrong with the rules in force on one day, each at its topic and setting."""
    rules = Rules.of(policy)
    for topic, setting, *choices in _ASKED:
        try:
            if choices:
                rules.choice(topic, setting, *choices)
            elif topic == "check" and CHECKS[setting].has_limits:
                rules.pair(setting)
            elif (topic, setting) in _WHOLE:
                rules.whole(topic, setting)
            else:
                rules.fraction(topic, setting)
        except Refusal as refusal:
            yield refusal.problem
    for row in policy.loc[policy["topic"].eq("check")].itertuples():
        yield from _wrong_check(row)
    if not rules.settings.get(("district", "name")):
        yield POLICY_MISSING.at(_place(DISTRICT_NAME), "the district's name is not given")
    for read in (lambda: bucket_names(aging_buckets(rules)), lambda: winter_months(rules), rules.methods):
        try:
            read()
        except Refusal as refusal:
            yield refusal.problem


def _wrong_check(row: Any) -> list[Problem]:
    """What is wrong with a check's rule, or with its rule for a class, a meter size or both."""
    key, setting = ("check", str(row.setting)), str(row.setting)
    override = Override.named(setting, row.value, row.severity)
    found = []
    if setting not in CHECKS and (override is None or override.check not in CHECKS):
        fact = f"there is no check {setting!r}; a rule for some is written check / class / meter size, any for either"
        found.append(POLICY_UNKNOWN.at(_place(key, "setting"), fact))
    if row.severity not in SEVERITIES and not (override and not row.severity):
        fact = f"{row.setting} has the severity {row.severity!r}, not one of {', '.join(SEVERITIES)}"
        found.append(POLICY_WRONG.at(_place(key, "severity"), fact))
    if override and override.value:
        try:
            _ = override.pair() if override.check in CHECKS and CHECKS[override.check].has_limits else override.number()
        except Refusal as refusal:
            found.append(refusal.problem)
    return found


def aging_buckets(rules: Rules) -> tuple[int, ...]:
    """Last day of each aging bucket: "30, 60, 90" -> (30, 60, 90); refused where it is no list of whole days."""
    text = rules.text("aging", "buckets")
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        place = _place(("aging", "buckets"), "value")
        raise Refusal(POLICY_WRONG.at(place, f"{text!r} is not a list of whole days such as 30, 60, 90"))
    return tuple(int(part) for part in parts)


def winter_months(rules: Rules) -> tuple[int, int] | None:
    """First and last month whose bills make the winter average: "12-2" -> (12, 2); None where the rule is blank."""
    text = rules.text("billing", "winter_months").replace(" ", "")
    if not text:
        return None
    first, dash, last = text.partition("-")
    if not dash or not all(part.isascii() and part.isdecimal() and 1 <= int(part) <= 12 for part in (first, last)):
        place = _place(("billing", "winter_months"), "value")
        raise Refusal(POLICY_WRONG.at(place, f"{text!r} is not a first and a last month such as 12-2"))
    return int(first), int(last)


_WHOLE: Final = {
    ("billing", "consumption_places"),
    ("billing", "nominal_days"),
    ("check", "estimates_in_row"),
    ("reads", "estimates_limit"),
}
_ASKED: Final = (
    ("billing", "billing_unit", *UNITS),
    ("billing", "gallons_per_ccf"),
    ("billing", "consumption_places"),
    ("billing", "fractions", "bill", "truncate", "carry"),
    ("billing", "first_and_last", "whole", "days"),
    ("billing", "nominal_days"),
    ("reads", "least_difference"),
    ("reads", "rough_price"),
    ("reads", "estimates_limit"),
    ("aging", "age_from", "bill_date", "due_date"),
    *(("check", check.name) for check in CHECKS.values() if check.threshold),
)


def _place(key: tuple[str, ...], column: str = "") -> Place:
    return Place(table="policy", key=f"{key[0]} / {key[1]}", column=column)
