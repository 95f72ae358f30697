"""The layouts this product reads, most telling signature first when several fit.

Header names are in lower case. A layout whose signature is empty is a fallback: its columns are found by the names
accounting systems commonly print.
"""

from __future__ import annotations

from typing import Final

from xlbilling.intake.gl.layout import Layout

QBD: Final = Layout(
    name="qbd",
    signature=frozenset({"type", "date", "num", "memo", "split", "debit", "credit", "balance"}),
    columns={
        "date": ("date",),
        "reference": ("num",),
        "description": ("memo",),
        "source": ("type",),
        "name": ("name",),
        "debit": ("debit",),
        "credit": ("credit",),
        "balance": ("balance",),
    },
    account="section",
    signs="debit_credit",
)
QBD_JOURNAL: Final = Layout(
    name="qbd_journal",
    signature=frozenset({"trans #", "type", "date", "num", "memo", "account", "debit", "credit"}),
    columns={
        "date": ("date",),
        "account": ("account",),
        "reference": ("num",),
        "description": ("memo",),
        "source": ("type",),
        "name": ("name",),
        "debit": ("debit",),
        "credit": ("credit",),
    },
    account="column",
    signs="debit_credit",
    carried=frozenset({"date", "reference", "source"}),
)
QBO: Final = Layout(
    name="qbo",
    signature=frozenset({"date", "transaction type", "num", "split", "amount", "balance"}),
    columns={
        "date": ("date",),
        "reference": ("num",),
        "description": ("memo/description", "memo", "description"),
        "source": ("transaction type",),
        "name": ("name",),
        "amount": ("amount",),
        "balance": ("balance",),
    },
    account="section",
    signs="natural_side",
)
QBO_NEW: Final = Layout(
    name="qbo_new",
    signature=frozenset({"distribution account", "transaction date", "transaction type", "num", "amount"}),
    columns={
        "date": ("transaction date",),
        "account": ("distribution account",),
        "reference": ("num",),
        "description": ("memo/description", "memo", "description"),
        "source": ("transaction type",),
        "name": ("name",),
        "amount": ("amount",),
        "balance": ("balance",),
    },
    account="section",
    signs="natural_side",
)
INTACCT_REPORT: Final = Layout(
    name="intacct_report",
    signature=frozenset({"posted dt.", "doc", "jnl"}),
    columns={
        "date": ("posted dt.",),
        "reference": ("doc",),
        "description": ("memo/description", "memo", "description"),
        "source": ("jnl",),
        "debit": ("debit", "debit (usd)"),
        "credit": ("credit", "credit (usd)"),
        "balance": ("balance", "balance (usd)"),
        "account": ("gl",),
    },
    account="section",
    signs="debit_credit",
)
INTACCT_JOURNAL: Final = Layout(
    name="intacct_journal",
    signature=frozenset({"journal", "date", "line_no", "acct_no", "debit", "credit"}),
    columns={
        "date": ("date",),
        "account": ("acct_no",),
        "reference": ("reference_no", "reference"),
        "description": ("memo", "description"),
        "source": ("journal",),
        "debit": ("debit",),
        "credit": ("credit",),
        "line": ("line_no",),
    },
    account="column",
    signs="debit_credit",
    carried=frozenset({"date", "reference", "source"}),
)
XERO: Final = Layout(
    name="xero",
    signature=frozenset({"date", "source", "description", "reference", "debit", "credit", "running balance"}),
    columns={
        "date": ("date",),
        "account": ("account code",),
        "account_name": ("account",),
        "reference": ("reference",),
        "description": ("description",),
        "source": ("source",),
        "debit": ("debit",),
        "credit": ("credit",),
        "balance": ("running balance",),
    },
    account="section",
    signs="debit_credit",
)
SPRINGBROOK: Final = Layout(
    name="springbrook",
    signature=frozenset({"batch", "post date", "account number", "debit amount", "credit amount"}),
    columns={
        "date": ("post date",),
        "account": ("account number",),
        "account_name": ("account description",),
        "reference": ("reference",),
        "description": ("description", "account description"),
        "source": ("batch",),
        "debit": ("debit amount",),
        "credit": ("credit amount",),
    },
    account="column",
    signs="debit_credit",
)
CASELLE: Final = Layout(
    name="caselle",
    signature=frozenset({"account number", "date", "journal", "debit amount", "credit amount", "balance"}),
    columns={
        "date": ("date",),
        "account": ("account number",),
        "account_name": ("account title",),
        "reference": ("reference number",),
        "description": ("payee or description", "description"),
        "source": ("journal",),
        "debit": ("debit amount",),
        "credit": ("credit amount",),
        "balance": ("balance",),
    },
    account="column",
    signs="credit_printed_negative",
)
MUNIS: Final = Layout(
    name="munis",
    signature=frozenset({"org", "object", "eff date", "d/c", "amount"}),
    columns={
        "date": ("eff date",),
        "reference": ("ref1",),
        "description": ("description",),
        "source": ("src",),
        "amount": ("amount",),
    },
    account="segments",
    segments=("org", "object"),
    signs="debit_positive",
)
NETSUITE: Final = Layout(
    name="netsuite",
    signature=frozenset({"internal id", "date", "type", "document number", "account", "debit", "credit"}),
    columns={
        "date": ("date",),
        "account": ("account",),
        "reference": ("document number",),
        "description": ("memo",),
        "source": ("type",),
        "name": ("name",),
        "debit": ("debit",),
        "credit": ("credit",),
    },
    account="column",
    signs="debit_credit",
)
PLAIN_DC: Final = Layout(
    name="plain_dc",
    signature=frozenset({"date", "account", "reference", "description", "debit", "credit"}),
    columns={
        "date": ("date",),
        "account": ("account",),
        "account_name": ("account name",),
        "reference": ("reference",),
        "description": ("description",),
        "source": ("source", "journal"),
        "debit": ("debit",),
        "credit": ("credit",),
        "balance": ("balance",),
    },
    account="column",
    signs="debit_credit",
)
SIGNED: Final = Layout(
    name="signed",
    signature=frozenset({"posting date", "gl account", "amount"}),
    columns={
        "date": ("posting date",),
        "account": ("gl account",),
        "account_name": ("account name", "account title"),
        "reference": ("reference", "reference number"),
        "description": ("description",),
        "source": ("source",),
        "amount": ("amount",),
    },
    account="column",
    signs="debit_positive",
)

_DATES: Final = ("date", "post date", "posting date", "post dt", "postdate", "eff date", "effective date", "trans date")
_ACCOUNTS: Final = (
    "account",
    "acct no",
    "acct",
    "account no",
    "account number",
    "gl account",
    "gl acct",
    "account code",
)
_REFERENCES: Final = (
    "reference",
    "ref",
    "ref no",
    "reference number",
    "reference no",
    "ref nbr",
    "doc",
    "doc no",
    "num",
)
_DESCRIPTIONS: Final = ("description", "memo", "payee or description", "narrative", "comment", "details", "trans desc")
_SOURCES: Final = ("source", "src", "journal", "jrnl", "jnl", "type")

BY_NAME_ONE_AMOUNT: Final = Layout(
    name="legacy_crdr",
    columns={
        "date": _DATES,
        "account": _ACCOUNTS,
        "account_name": ("account name", "account title", "account description", "title"),
        "reference": (*_REFERENCES, "batch", "batch no"),
        "description": _DESCRIPTIONS,
        "source": _SOURCES,
        "amount": ("amount", "amt", "trans amount", "transaction amount", "net", "net amount"),
        "balance": ("balance", "running balance"),
    },
    account="column",
    signs="debit_positive",
)
BY_NAME_TWO_AMOUNTS: Final = Layout(
    name="columns_by_name",
    columns={
        "date": _DATES,
        "account": _ACCOUNTS,
        "account_name": ("account name", "account title", "account description", "title"),
        "reference": (*_REFERENCES, "batch", "batch no"),
        "description": _DESCRIPTIONS,
        "source": _SOURCES,
        "debit": ("debit", "debit amount", "debits", "dr"),
        "credit": ("credit", "credit amount", "credits", "cr"),
        "balance": ("balance", "running balance"),
    },
    account="column",
    signs="debit_credit",
)

LAYOUTS: Final[tuple[Layout, ...]] = (
    QBD,
    QBD_JOURNAL,
    QBO,
    QBO_NEW,
    INTACCT_REPORT,
    INTACCT_JOURNAL,
    XERO,
    SPRINGBROOK,
    CASELLE,
    MUNIS,
    NETSUITE,
    PLAIN_DC,
    SIGNED,
    BY_NAME_TWO_AMOUNTS,
    BY_NAME_ONE_AMOUNT,
)
