"""An invented month of a small district, made from a seed: facts for the report pack and the close packet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xlbilling.papers.pack import CloseFacts, PackFacts
from xlbilling.trade.aging import BUCKETS, bucket_names

DISTRICT = "Alder Creek Water District"
PERIOD = "2026-11"
CHAIN_HEAD = "5f0c9d7e" * 8
CLASSES = ["RESIDENTIAL_SINGLE", "RESIDENTIAL_MULTI", "COMMERCIAL", "INSTITUTIONAL", "IRRIGATION"]
FIRST = ["Maria", "Wen", "Asha", "Tom", "Olu", "Ines", "Paul", "Hana", "Luis", "Grace"]
LAST = ["Alvarez", "Chen", "Patel", "O'Brien", "Okafor", "Silva & Sons", "Novak", "Sato", "<Reyes>", "Whitfield"]


def pack_facts(bills: int = 500, accounts: int = 620, seed: int = 7, buckets: tuple[int, ...] = BUCKETS) -> PackFacts:
    """The pack of a month with `bills` bills; the aging has `accounts` accounts whose total is the control's ending."""
    random = np.random.default_rng(seed)
    register = _register(random, bills)
    by_class = _by_class(register)
    aging = _aging(random, accounts, buckets)
    control = _control(int(register["amount"].sum()), int(aging["total"].sum()))
    exceptions = pd.DataFrame(
        {
            "rule": ["high_consumption", "low_consumption", "missing_read", "rollover", "zero"],
            "severity": ["review", "review", "block", "block", "info"],
            "count": [31, 12, 4, 2, 9],
            "decided": [31, 9, 4, 2, 0],
            "billed": [0, 2, 0, 0, 0],
            "open": [0, 1, 0, 0, 9],
        }
    )
    return PackFacts(
        DISTRICT,
        PERIOD,
        "November 30, 2026 at 5:02 PM",
        CHAIN_HEAD,
        register,
        by_class,
        exceptions,
        control,
        aging,
        buckets,
    )


def close_facts() -> CloseFacts:
    checklist = pd.DataFrame(
        {
            "item": ["All cycles due are billed", "Reads resolved", "Audit green", "Batches posted", "Reconciled"],
            "state": ["done", "done", "done", "done", "signed"],
            "detail": [
                "Cycle A: 612 services billed, 4 held, 4 not due.",
                "0 findings open.",
                "Recalculated November 30, 2026; difference 0.00 over 612 services.",
                "3 batches posted, none open.",
                "Ledger is 12.50 below billing: one receipt posted on December 1.",
            ],
            "signed_reason": ["", "", "", "", "Receipt 004417 is in the bank file of December 1; accounting knows."],
            "signed_by": ["", "", "", "", "r.whitfield"],
        }
    )
    control = _control(5_812_345, 4_410_077, ledger_off=12_50)
    return CloseFacts(
        DISTRICT, PERIOD, "r.whitfield", "December 2, 2026 at 9:14 AM", CHAIN_HEAD, checklist, control, differences()
    )


def _register(random: np.random.Generator, bills: int) -> pd.DataFrame:
    number = np.arange(bills)
    consumption = random.gamma(2.0, 9.0, bills).astype(np.int64) * 1_000_000
    read_on = np.datetime64("2026-11-01", "s") + (number % 4).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "number": [f"B{n:07d}" for n in number + 4001],
            "account_id": [f"{n:08d}" for n in number * 7 + 102],
            "name": [f"{FIRST[n % 10]} {LAST[n // 10 % 10]}" for n in number],
            "service_id": [f"{n:08d}-W" for n in number * 7 + 102],
            "customer_class": random.choice(CLASSES, bills, p=[0.7, 0.12, 0.1, 0.03, 0.05]),
            "service_from": read_on - np.timedelta64(61, "D"),
            "service_to": read_on,
            "read_code": np.where(number % 40 == 7, "estimated", "actual"),
            "consumption": consumption,
            "unit": "CCF",
            "amount": 31_50 + consumption // 1_000_000 * 287 + random.integers(0, 99, bills),
            "due_date": np.datetime64("2026-12-01", "s"),
        }
    )


def _by_class(register: pd.DataFrame) -> pd.DataFrame:
    grouped = register.groupby("customer_class")
    return pd.DataFrame(
        {"bills": grouped.size(), "consumption": grouped["consumption"].sum(), "revenue": grouped["amount"].sum()}
    ).reset_index()


def _aging(random: np.random.Generator, accounts: int, ends: tuple[int, ...]) -> pd.DataFrame:
    number = np.arange(accounts)
    credit = -random.integers(1, 9_000, accounts) * (random.random(accounts) < 0.06)
    owing = credit == 0
    late = random.random(accounts)
    current, *older = bucket_names(ends)
    buckets = {current: random.integers(3_000, 21_000, accounts) * owing}
    for place, name in enumerate(older):
        buckets[name] = random.integers(3_000, 15_000, accounts) * (owing & (late < 0.2 / 2.5**place))
    return pd.DataFrame(
        {
            "account_id": [f"{n:08d}" for n in number * 7 + 102],
            "name": [f"{FIRST[n % 10]} {LAST[n // 10 % 10]}" for n in number],
            **buckets,
            "credit": credit,
            "total": sum(buckets.values()) + credit,
        }
    )


def _control(billed: int, ending: int, ledger_off: int = 0) -> pd.DataFrame:
    """Two control accounts: water carries the month, recycled only its opening balance."""
    received, adjusted, recycled = billed * 9 // 10, -4_725, 120_000
    water = ending - recycled
    return pd.DataFrame(
        {
            "gl_account": ["01-1310-00", "01-1315-00"],
            "name": ["Accounts receivable, water", "Accounts receivable, recycled"],
            "beginning": [water - billed + received - adjusted, recycled],
            "billed": [billed, 0],
            "received": [received, 0],
            "adjusted": [adjusted, 0],
            "ending": [water, recycled],
            "ledger": [water - ledger_off, recycled],
            "difference": [ledger_off, 0],
        }
    )


def differences() -> pd.DataFrame:
    """One difference: a day of receipts with two digits exchanged in the ledger."""
    return pd.DataFrame(
        {
            "number": [1], "reason": ["transposition"], "gl_account": ["1210"], "batch": ["LB1130-1"],
            "document": ["P00316 to P00394 (79)"], "account_id": ["0000316 to 0000394 (79)"],
            "post_date": pd.to_datetime(["2026-11-07"]), "gl_date": pd.to_datetime(["2026-11-07"]),
            "description": ["Utility receipts LB1130-1"], "subledger": pd.array([-1018487], dtype="Int64"),
            "ledger": pd.array([-1081487], dtype="Int64"), "difference": [63000], "rows": ["17"],
            "entry": ["Ledger: debit 1210 630.00"],
        }
    )  # fmt: skip
