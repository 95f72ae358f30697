"""Reads as a test writes them down: registers, reads, earlier bills, and what becomes of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from xlbilling.office.desk.policy import starting_policy
from xlbilling.trade.reads import BillingUnit, Rules, Settled, Window, settle
from xlbilling.trade.reads.rules import in_force
from xlbilling.trade.reads.settle import Office

MILLION = 1_000_000
WINDOW = Window("A", "2026-11", dt.date(2026, 11, 1), dt.date(2026, 11, 10))
LAST, NOW = pd.Timestamp("2026-09-05"), pd.Timestamp("2026-11-05")  # 61 days
CCF = BillingUnit("CCF", Fraction(748), 3, "bill")
DECISION = ["exception_id", "fact", "decision", "override_read", "override_date", "reason", "decided_by", "decided_at"]


def rules(*more: tuple[str, str, str, str], **changes: tuple[str, str]) -> Rules:
    """The standard rules; `changes` gives a rule another value and severity, `more` adds or replaces whole rows."""
    policy = starting_policy("D")
    for name, (value, severity) in changes.items():
        policy.loc[policy["setting"].eq(name), ["value", "severity"]] = [value, severity]
    added = pd.DataFrame(list(more), columns=["topic", "setting", "value", "severity"])
    policy = pd.concat([policy, added]).drop_duplicates(["topic", "setting"], keep="last")
    return Rules.of(in_force(policy.reset_index(drop=True), WINDOW.read_to))


def register(meter: str = "M1", service: str = "S1", **given: Any) -> dict[str, Any]:
    usual = {
        "meter_id": meter, "register_id": "", "service_id": service, "account_id": "0" + service[1:], "customer_class": "R",
        "meter_size": '5/8"', "route": "", "route_billed": False, "master_meter": "", "dials": 4, "unit": "CCF", "multiplier": "1",
        "previous_date": LAST, "previous_read": "0100", "previous_code": "actual", "removed_on": pd.NaT, "final_read": "", "due": True,
        "ended": "", "ends_on": pd.NaT,
    }  # fmt: skip
    made = usual | given
    made = {"actual_date": made["previous_date"], "actual_read": made["previous_read"]} | made
    values = {f"{name}_value": int(Fraction(made[f"{name}_read"]) * MILLION) for name in ("previous", "actual")}
    return made | values


def read(dial: str, meter: str = "M1", **given: Any) -> dict[str, Any]:
    usual = {
        "meter_id": meter, "register_id": "", "read_date": NOW, "read_time": "", "import_id": 1, "account_id": "", "dial_read": dial, "unit": "CCF", "read_code": "actual",
        "read_value": int(Fraction(dial) * MILLION) if dial else pd.NA,
    }  # fmt: skip
    return usual | given


def past(
    service: str = "S1", used: float = 11, periods: int = 7, code: str = "actual", days: int = 61
) -> list[dict[str, Any]]:
    """Earlier periods back to back, each of as many CCF; one of them ends 366 days before this read."""
    return [
        {
            "service_id": service, "service_to": LAST - pd.Timedelta(n * days, "D"), "days": days,
            "consumption": int(used * MILLION), "read_code": code,
        }
        for n in range(periods)
    ]  # fmt: skip


def settled(
    registers: list[dict[str, Any]],
    reads: list[dict[str, Any]],
    history: list[dict[str, Any]] | None = None,
    decisions: dict[str, dict[str, str]] | None = None,
    billing: BillingUnit = CCF,
    by: Rules | None = None,
    carried: dict[str, Fraction] | None = None,
    intervals: list[dict[str, Any]] | None = None,
    standing: pd.DataFrame | None = None,
    elsewhere: pd.DataFrame | None = None,
) -> Settled:
    """What becomes of these reads; `decisions` by finding, each on the finding as it stands, `standing` as they were."""
    by = by or rules()
    left = pd.DataFrame(
        {"service_id": list(carried or {}), "carried": [int(v * MILLION) for v in (carried or {}).values()]}
    )
    office = Office(
        frame_of_registers(registers),
        frame_of_reads(reads),
        frame_of_history(history or []),
        pd.DataFrame(columns=DECISION).astype("str") if standing is None else standing,
        left.astype({"carried": "int64"}),
        *([pd.DataFrame(intervals)] if intervals else []),
    )
    office = office if elsewhere is None else replace(office, elsewhere=elsewhere)
    made = settle(WINDOW, billing, by, office)
    facts: dict[str, str] = {}
    for key, given in (decisions or {}).items():
        # Some findings come up only once another is decided, some are gone then.
        facts |= dict(zip(made.findings["exception_id"], made.findings["fact"], strict=True))
        row = dict.fromkeys(DECISION, "") | {"exception_id": key, "fact": facts[key], "reason": "r"} | given
        typed = pd.concat([office.decisions, pd.DataFrame([row])], ignore_index=True)[DECISION].astype("str")
        office = replace(office, decisions=typed)
        made = settle(WINDOW, billing, by, office)
    return made


def frame_of_registers(rows: list[dict[str, Any]]) -> pd.DataFrame:
    made = pd.DataFrame(rows)
    dates = dict.fromkeys(["previous_date", "actual_date", "removed_on", "ends_on"], "datetime64[s]")
    return made.astype(dates | {"dials": "int64", "previous_value": "int64", "actual_value": "int64", "due": "bool"})


def frame_of_reads(rows: list[dict[str, Any]]) -> pd.DataFrame:
    names = [
        "import_id",
        "account_id",
        "meter_id",
        "register_id",
        "read_date",
        "read_time",
        "dial_read",
        "unit",
        "read_code",
        "read_value",
    ]
    made = pd.DataFrame(rows, columns=names)
    made = made.astype(
        {"read_date": "datetime64[s]", "read_value": "Int64"}
        | dict.fromkeys(["account_id", "meter_id", "register_id", "read_time", "dial_read", "unit", "read_code"], "str")
        | {"import_id": "int64"}
    )
    numbers = np.arange(1, len(made) + 1)
    return made.assign(read_id=numbers, source_line=numbers)


def frame_of_history(rows: list[dict[str, Any]]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["service_id", "service_to", "days", "consumption", "read_code"])
    return made.astype(
        {
            "service_to": "datetime64[s]",
            "days": "int64",
            "consumption": "int64",
            "service_id": "str",
            "read_code": "str",
        }
    )


def one(made: Settled) -> tuple[Fraction, str]:
    """The only service's consumption and why it is held."""
    row = made.services.iloc[0]
    return Fraction(int(row["consumption"]), MILLION), row["hold"]


def found(made: Settled) -> list[str]:
    return sorted(made.findings["exception_id"])
