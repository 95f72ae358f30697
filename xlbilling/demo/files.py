"""Files the sample district gets in a month: meter reads, payments, and accounting's ledger export."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.demo.cycles import CYCLES, Cycle
from xlbilling.demo.district import District
from xlbilling.demo.trouble import Dealt, Planted, deal, registers_of
from xlbilling.office.desk.desk import Run
from xlbilling.trade.documents import KINDS, OPENING
from xlbilling.words.periods import AccountingPeriod

READS_HEADER: Final = (
    "Account_ID,Location_ID,Service_Point_ID,Meter_ID,Register_Number,Endpoint_SN,Read_Method,Read,Read_Unit,"
    "Billing_Read,Read_Time"
)
PAYMENTS_HEADER: Final = "Account,Amount,Date,Reference,Method"
LEDGER_HEADER: Final = "Date,Account,Account Name,Reference,Description,Debit,Credit"
UNKNOWN_METER: Final = "99070415"
UNKNOWN_ACCOUNT: Final = "9900017"
MANUAL_JOURNAL: Final = "JE-1047"

_UNIT_NAMES: Final = {"CF": "CUBIC_FEET", "CCF": "CCF", "GAL": "GAL"}
_CCF_STEPS: Final = {"CF": 100, "CCF": 1, "GAL": 748}
_METHODS: Final = (("lockbox", 0.36), ("web", 0.30), ("autopay", 0.18), ("counter", 0.10), ("check", 0.06))
_KINDS: Final = {kind.entry: f"Utility {kind.words}" for kind in KINDS}
_CUT_AT: Final = 5  # cells left of a damaged line
_NEXT_LINES: Final = "\r\n"


# ---- reads --------------------------------------------------------------------------------------------------------


def read_file(district: District, run: Run) -> bytes:
    """The run's Badger BEACON billing read export (CSV), with a month's usual troubles in it; see `planted`."""
    return _reads(district, run, corrected=False)[0]


def corrected_read_file(district: District, run: Run) -> bytes:
    """The same file after the misread meter was read again: one read differs."""
    return _reads(district, run, corrected=True)[0]


def planted(district: District, run: Run) -> list[Planted]:
    """The troubles planted in the run's read file, in file order; those without a line come first."""
    return _reads(district, run, corrected=False)[1]


def _reads(district: District, run: Run, corrected: bool) -> tuple[bytes, list[Planted]]:
    cycle = next(cycle for cycle in CYCLES if cycle.name == run.cycle)
    number = cycle.run_of(district.period, AccountingPeriod.parse(run.period))
    if number is None or number < 0:
        raise ValueError(f"cycle {run.cycle} is not read in {run.period}")
    dealt = deal(district.flow, cycle, number)
    if corrected:
        dealt.dial[dealt.spike] = dealt.true[dealt.spike]
    registers = registers_of(district.flow, cycle)
    rows = _rows(district, registers, cycle, run, dealt)
    lines, at = _assembled(rows, dealt)
    told = [
        Planted(what, registers["meter_id"].iloc[n], registers["service_id"].iloc[n], check, reject, at.get(n, 0))
        for n, what, check, reject in dealt.troubles
    ]
    # What is wrong with a line sent twice is its second copy.
    told = [_moved(p, p.line + 1) if p.reject == "duplicate" else p for p in told]
    unknown = at[dealt.unknown_after] + 1
    told.append(Planted("a meter nobody knows", UNKNOWN_METER, "", "unknown_meter", "", unknown))
    return _csv([READS_HEADER, *lines]), sorted(told, key=lambda p: p.line)


def _moved(planted: Planted, line: int) -> Planted:
    return Planted(planted.what, planted.meter_id, planted.service_id, planted.check, planted.reject, line)


def _rows(district: District, registers: pd.DataFrame, cycle: Cycle, run: Run, dealt: Dealt) -> list[list[str]]:
    """One list of cells a register, in the layout's columns."""
    rng = np.random.default_rng([district.seed, 5, CYCLES.index(cycle), *run.period.encode()])
    account_of = district.services.set_index("service_id")["account_id"]
    account = registers["service_id"].map(account_of)
    place = pd.Index(district.accounts["account_id"]).get_indexer(pd.Index(account)) + 1
    month = AccountingPeriod.parse(run.period)
    minute = rng.integers(4 * 60, 19 * 60, len(registers)).astype("timedelta64[m]")
    moment = cycle.read_days(month, registers["route"].to_numpy()) + minute
    steps = registers["unit"].map(_CCF_STEPS).to_numpy()
    method = np.array(["Network", "AMR", "Manual"], dtype=object)[rng.choice(3, len(registers), p=(0.9, 0.08, 0.02))]
    dial = [str(n).zfill(dials) for n, dials in zip(dealt.dial.tolist(), registers["dials"].tolist(), strict=True)]
    columns: list[list[str]] = [
        account.tolist(),
        [f"L{n:06d}" for n in place.tolist()],
        registers["service_id"].str[-1].tolist(),
        registers["meter_id"].tolist(),
        registers["register_id"].tolist(),
        [f"13{meter}" for meter in registers["meter_id"]],
        method.tolist(),
        dial,
        registers["unit"].map(_UNIT_NAMES).tolist(),
        (dealt.dial * registers["multiplier"].to_numpy() // steps).astype(str).tolist(),
        [text.replace("T", " ") for text in np.datetime_as_string(moment, unit="m").tolist()],
    ]
    made = [list(cells) for cells in zip(*columns, strict=True)]
    for n, at in enumerate(dealt.no_read):
        stale = n == 0  # the first one still shows an old value, under a method that says it is none
        made[at][6:] = ["n/a", made[at][7] if stale else "", made[at][8], "", made[at][10] if stale else ""]
    return made


def _assembled(rows: list[list[str]], dealt: Dealt) -> tuple[list[str], dict[int, int]]:
    """The file's lines below the header, and the line number of each register that has one."""
    lines: list[str] = []
    at: dict[int, int] = {}
    for n, cells in enumerate(rows):
        if n in dealt.omitted:
            continue
        at[n] = len(lines) + 2
        lines.append(",".join(cells[:_CUT_AT] if n in dealt.damaged else cells))
        if n in dealt.repeated:
            lines.append(lines[-1])
        if n in dealt.read_again:
            lines.append(",".join(_two_hours_on(cells, dealt.read_again[n])))
        if n == dealt.unknown_after:
            lines.append(",".join(["", "", "1", UNKNOWN_METER, "", f"13{UNKNOWN_METER}", *cells[6:]]))
    return lines, at


def _two_hours_on(cells: list[str], dial: int) -> list[str]:
    hour = int(cells[10][11:13]) + 2
    return [*cells[:7], str(dial).zfill(len(cells[7])), *cells[8:10], f"{cells[10][:11]}{hour:02d}{cells[10][13:]}"]


def _csv(lines: list[str]) -> bytes:
    return (_NEXT_LINES.join(lines) + _NEXT_LINES).encode()


# ---- payments -----------------------------------------------------------------------------------------------------


def payments_file(balances: pd.DataFrame, period: str, seed: int = 20261, share: float = 0.6) -> bytes:
    """A payments file of the period: a share of the customers with a balance pay, some of them in part.

    `balances`: account_id, amount (cents owed). One payment names an account nobody knows, and one line is there
    twice. With nobody to pay, only the unknown one is there.
    """
    rng = np.random.default_rng([seed, 6, *period.encode()])
    month = AccountingPeriod.parse(period)
    owing = balances.loc[balances["amount"].gt(0)].sort_values("account_id")
    paying = owing.loc[rng.random(len(owing)) < share]
    owed = paying["amount"].to_numpy(dtype=np.int64)
    in_part = (rng.random(len(paying)) < 0.12) & (owed > 4000)
    paid = np.where(in_part, owed // 4000 * 2000, owed)
    workdays = np.arange(np.datetime64(month.first, "D"), np.datetime64(month.plus(1).first, "D"))
    workdays = workdays[np.is_busday(workdays)]
    day = workdays[rng.integers(1, len(workdays) - 1, len(paying))]
    method = rng.choice(len(_METHODS), len(paying), p=[share for _, share in _METHODS])
    number = rng.permutation(len(paying)) + 104_000
    rows = sorted(
        (str(on), account, cents, _METHODS[how][0], n)
        for on, account, cents, how, n in zip(
            day, paying["account_id"].tolist(), paid.tolist(), method.tolist(), number.tolist(), strict=True
        )
    )
    lines = [f"{account},{_plain(cents)},{on},{how[:2].upper()}{n},{how}" for on, account, cents, how, n in rows]
    middle = len(lines) // 2
    stray = f"{UNKNOWN_ACCOUNT},64.20,{workdays[len(workdays) // 2]},LO103999,lockbox"
    twice = lines[middle : middle + 1]
    return _csv([PAYMENTS_HEADER, *lines[:middle], *twice, stray, *lines[middle:]])


def _plain(cents: int) -> str:
    """Cents as plain decimal text: 120407 -> 1204.07."""
    return f"{cents // 100}.{cents % 100:02d}"


# ---- ledger export ------------------------------------------------------------------------------------------------


def gl_export(entries: pd.DataFrame, journal: pd.DataFrame, gl_accounts: pd.DataFrame, period: str) -> bytes:
    """Accounting's ledger export of the period, one posting a day, batch and account, with two differences in it.

    `entries` and `journal` as in the store. The batch of the fewest documents has two digits of its largest posting
    changed over, and accounting keyed one journal of its own against the receivable; a bill for electricity, which is
    none of billing's business, is there too. ValueError where nothing was posted in the period.
    """
    posted = entries.loc[entries["period"].eq(period) & entries["kind"].ne(OPENING)]
    if posted.empty:
        raise ValueError(f"nothing was posted in {period}")
    lines = journal.merge(posted[["entry", "post_date", "batch", "kind"]], on="entry")
    lines["documents"] = lines["batch"].map(posted.groupby("batch").size())
    by_post = ["post_date", "batch", "documents", "kind", "gl_account"]
    rows = lines.groupby(by_post)["amount"].sum().reset_index()
    rows = rows.loc[rows["amount"].ne(0)].reset_index(drop=True)
    receivable, revenue = (_first_of(gl_accounts, role) for role in ("receivable", "revenue"))
    rows["amount"] = _changed_over(rows, receivable)
    named = dict(zip(gl_accounts["gl_account"], gl_accounts["name"], strict=True))
    columns = (rows[name].tolist() for name in ("post_date", "gl_account", "batch", "kind", "amount"))
    made: list[tuple[Any, ...]] = [
        (f"{day:%Y-%m-%d}", account, named[account], batch, f"{_KINDS[kind]} {batch}", cents)
        for day, account, batch, kind, cents in zip(*columns, strict=True)
    ]
    last = AccountingPeriod.parse(period).last.isoformat()
    for account, name, reference, said, cents in (
        (revenue, named[revenue], MANUAL_JOURNAL, "Courtesy credit keyed by accounting", 4800),
        (receivable, named[receivable], MANUAL_JOURNAL, "Courtesy credit keyed by accounting", -4800),
        ("6120", "Power - wells", "AP-2231", "Electric bill", 1_284_077),
        ("2050", "Accounts payable", "AP-2231", "Electric bill", -1_284_077),
    ):
        made.append((last, account, name, reference, said, cents))
    return _csv([LEDGER_HEADER, *(_posting(row) for row in made)])


def _first_of(gl_accounts: pd.DataFrame, role: str) -> str:
    return str(gl_accounts.loc[gl_accounts["role"].eq(role), "gl_account"].iloc[0])


def _posting(row: tuple[Any, ...]) -> str:
    *words, cents = row
    debit, credit = (_plain(cents), "") if cents > 0 else ("", _plain(-cents))
    return ",".join([*words, debit, credit])


def _changed_over(rows: pd.DataFrame, receivable: str) -> list[int]:
    """The postings' amounts with two digits of one receivable posting changed over, its other side made to balance."""
    amounts: list[int] = rows["amount"].tolist()
    accounts, documents = rows["gl_account"].tolist(), rows["documents"].tolist()
    posts = list(zip(rows["post_date"], rows["batch"], strict=True))
    fit = [n for n, account in enumerate(accounts) if account == receivable and _swapped(amounts[n]) != amounts[n]]
    chosen = min(fit, key=lambda n: (documents[n], -abs(amounts[n])))
    others = [n for n, post in enumerate(posts) if post == posts[chosen] and n != chosen]
    other = max(others, key=lambda n: abs(amounts[n]))
    wrong = _swapped(amounts[chosen])
    amounts[other] += amounts[chosen] - wrong
    amounts[chosen] = wrong
    return amounts


def _swapped(cents: int) -> int:
    """The amount with two neighbouring digits that differ changed over: 12884.10 -> 18284.10, 38.40 -> 83.40.

    A digit behind the leading one if there is one; the amount itself where all digits are the same.
    """
    digits = list(str(abs(cents)))
    for n in (*range(1, len(digits) - 3), 0, *range(len(digits) - 3, len(digits) - 1)):
        if 0 <= n < len(digits) - 1 and digits[n] != digits[n + 1] and (n or digits[1] != "0"):
            digits[n], digits[n + 1] = digits[n + 1], digits[n]
            break
    return int("".join(digits)) * (1 if cents > 0 else -1)
