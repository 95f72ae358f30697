"""The sample district's rate schedules: one for water by class, one for fire lines, each set twice by the board."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import pandas as pd

from xlbilling.store.schema import stored_columns
from xlbilling.words.periods import AccountingPeriod

WATER: Final = "WATER"
FIRE: Final = "FIRE LINE"
SIZES: Final = ('5/8"', '3/4"', '1"', '1-1/2"', '2"', '3"', '4"')
FIRE_SIZES: Final = ('4"', '6"', '8"')

# Amounts of the schedule before and after the change, for a two-month bill.
_SERVICE: Final = (
    ("31.40", "42.85", "66.20", "124.60", "194.75", "381.30", "614.90"),
    ("33.15", "45.20", "69.90", "131.55", "205.60", "402.50", "649.10"),
)
_FIRE: Final = (("38.50", "61.75", "94.20"), ("40.65", "65.20", "99.45"))
_TIERS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {  # first unit, price before, price after
    "RESIDENTIAL_SINGLE": (
        ("0", "2.415", "2.5475"),
        ("13", "3.280", "3.4625"),
        ("31", "4.905", "5.1750"),
        ("71", "7.160", "7.5550"),
    ),
    "RESIDENTIAL_MULTI": (("0", "2.415", "2.5475"), ("25", "3.135", "3.3075"), ("81", "4.380", "4.6225")),
    "COMMERCIAL": (("0", "2.985", "3.1500"), ("121", "3.610", "3.8075")),
}
_IRRIGATION: Final = ("4.255", "4.4900")
_PUMPING: Final = ("0.412", "0.437")
_FRANCHISE: Final = "2.25"

GL_ACCOUNTS: Final = (
    ("1010", "Cash - utility receipts", "cash"),
    ("1210", "Accounts receivable - water", "receivable"),
    ("2310", "Customer deposits", "deposits"),
    ("3900", "Opening balances", "opening"),
    ("4010", "Service charges", "revenue"),
    ("4020", "Water sales", "revenue"),
    ("4030", "Pumping surcharge", "revenue"),
    ("4040", "Fire line charges", "revenue"),
    ("4090", "Franchise fee", "revenue"),
)


def rate_change(period: AccountingPeriod) -> dt.date:
    """The day the second version takes effect: the first of the month before, inside the service period due then."""
    return period.plus(-1).first


def schedules(period: AccountingPeriod) -> pd.DataFrame:
    """The Rates table. The franchise fee is not restated by the second resolution and stays in force."""
    began, changed = dt.date(period.year - 3, 1, 1), rate_change(period)
    versions = ((0, began, f"{began.year - 1}-31"), (1, changed, f"{changed.year}-07"))
    rows: list[dict[str, Any]] = []
    for version, day, resolution in versions:
        stamp = {"effective_from": day, "resolution": resolution}
        for customer_class in (*_TIERS, "IRRIGATION"):
            of_class = stamp | {"tariff": WATER, "customer_class": customer_class}
            rows += [of_class | row for row in _water(customer_class, version)]
        fire = _by_size("Fire line", FIRE_SIZES, _FIRE[version], "4040")
        rows += [stamp | {"tariff": FIRE, "customer_class": "OTHER"} | row for row in fire]
    columns = stored_columns("rates")
    plain = dict.fromkeys(columns, "") | {"tier": 0, "applies_by": "service_days", "rev": 1, "effective_to": None}
    made = pd.DataFrame([plain | {"rate_id": f"R{n:04d}"} | row for n, row in enumerate(rows, 1)])[columns]
    for name in ("effective_from", "effective_to"):
        made[name] = pd.to_datetime(made[name]).astype("datetime64[s]")
    texts = [n for n in columns if n not in ("effective_from", "effective_to", "tier", "position", "rev")]
    return made.astype(dict.fromkeys(texts, "str") | dict.fromkeys(("tier", "position", "rev"), "int64"))


def _water(customer_class: str, version: int) -> list[dict[str, Any]]:
    """One class's charges in one version, in printed order."""
    rows = _by_size("Service charge", SIZES, _SERVICE[version], "4010")
    water = {"component": "Water", "position": 2, "unit": "CCF", "gl_account": "4020"}
    if customer_class == "IRRIGATION":
        rows.append(water | {"kind": "flat", "rate": _IRRIGATION[version]})
    else:
        rows += [
            water | {"kind": "tiered", "tier": n, "from_unit": tier[0], "rate": tier[1 + version]}
            for n, tier in enumerate(_TIERS[customer_class], 1)
        ]
    rows.append(
        {"component": "Pumping surcharge", "kind": "per_unit", "expression": "consumption", "rate": _PUMPING[version]}
        | {"position": 3, "unit": "CCF", "gl_account": "4030"}
    )
    if version == 0:
        rows.append(
            {"component": "Franchise fee", "kind": "percentage", "expression": "Service_charge + Water"}
            | {"rate": _FRANCHISE, "position": 4, "unit": "%", "gl_account": "4090"}
        )
    return rows


def _by_size(charge: str, sizes: tuple[str, ...], amounts: tuple[str, ...], gl_account: str) -> list[dict[str, Any]]:
    plain = {"component": charge, "kind": "fixed", "position": 1, "gl_account": gl_account}
    return [plain | {"keys": f"meter_size={size}", "rate": rate} for size, rate in zip(sizes, amounts, strict=True)]


def gl_accounts() -> pd.DataFrame:
    """The ledger accounts billing posts to: one receivable, one cash, revenue by charge, deposits, opening."""
    made = pd.DataFrame(GL_ACCOUNTS, columns=["gl_account", "name", "role"]).astype("str")
    return made.assign(rev=1)[stored_columns("gl_accounts")]
