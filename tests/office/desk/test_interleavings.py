"""Every button against every other: one clerk has looked and is about to write when another presses a button and is done.

Whatever the two are, afterwards the store is proved, what was said to be done is there and there once, what was refused
changed nothing, no document is left open in a closed month, and the office goes on: Refresh, Post and Close still work.
Whoever types sits at a workbook in memory, and so do both where the two press the same button; else they are at the
terminal, which is quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.office.asked import correct
from tests.office.busy import ACCOUNT, AMOUNT, DECEMBER
from tests.office.conftest import Office, Stages, an_office
from tests.office.small import PERIOD, Clerk
from xlbilling.demo.clerk import MeetingStore
from xlbilling.office.actions import perform
from xlbilling.office.desk.desk import Desk
from xlbilling.store import Store
from xlbilling.store.verify import verify
from xlbilling.words.problems import CATALOGUE, Refusal
from xlbilling.workbook.none import NoWorkbook

FILES = {"PaymentsFile": "p.csv", "LedgerFile": "gl.csv"}
Probe = Callable[[Store, str], object]


@dataclass(frozen=True)
class Act:
    """A button, what is typed before it, and what is looked up in the store and found there once it is done."""

    button: str
    probe: Probe
    done: object = 1
    types: Callable[[Clerk, str], object] | None = None


def _phone(store: Store, actor: str) -> object:
    return store.value("SELECT phone FROM accounts WHERE account_id = :a", a=ACCOUNT[actor])


def _count(sql: str) -> Probe:
    return lambda store, actor: store.value(
        f"SELECT COUNT(*) FROM {sql}", **({"a": AMOUNT[actor]} if ":a" in sql else {})
    )


ACTS = {
    "Save": Act("save", _phone, "555-1111", lambda clerk, who: clerk.set("accounts", ACCOUNT[who], phone="555-1111")),
    "Import payments": Act("import_payments", _count("payments WHERE reference = 'C1' AND state <> 'withdrawn'")),
    "Import GL": Act(
        "import_ledger",
        _count("ledger_rows r JOIN imports i ON i.import_id = r.import_id WHERE i.state = 'current'"),
    ),
    "Compute": Act(
        "compute",
        _count(
            "(SELECT service_id FROM draft_services WHERE state = 'draft' UNION ALL SELECT service_id FROM standing_bills) b "
            "WHERE service_id = 'S05'"
        ),
    ),
    "Post": Act(
        "post",
        _count(
            "entries e JOIN adjustments a ON a.adjustment_id = e.document WHERE a.amount = -700 AND a.state = 'posted'"
        ),
    ),
    "Adjust": Act(
        "adjust",
        _count("adjustments WHERE amount = :a AND state <> 'withdrawn'"),
        types=lambda clerk, who: correct(
            clerk, kind="adjust", account_id="0000002", amount=AMOUNT[who], gl_account="4020"
        ),
    ),
    "Reverse": Act(
        "reverse",
        _count(
            "reversals r JOIN adjustments a ON a.adjustment_id = r.reversed_by "
            "WHERE r.document = 'B0000001' AND a.state = 'posted'"
        ),
        types=lambda clerk, _: correct(clerk, kind="reverse", document="B0000001"),
    ),
    "Undo": Act("undo_last", _phone, ""),
    "Close": Act("close_month", _count("periods WHERE period = '2026-11' AND state = 'closed'")),
}
PAIRS = [(first, second) for first in ACTS for second in ACTS]


@dataclass
class Seat:
    """Where one of the two presses a button: at a workbook in memory, or at the terminal."""

    office: Office
    actor: str
    at_workbook: bool
    cycle: str = "A"
    period: str = PERIOD

    def types(self, act: Act) -> None:
        if self.at_workbook:
            clerk = self.office.clerk(self.actor)
            clerk.types_on_start(**FILES)
            if act.types:
                act.types(clerk, self.actor)

    def presses(self, button: str, meanwhile: Callable[[], object] | None = None, before: int = 1) -> Refusal | None:
        """The refusal, where it was one; `meanwhile` happens right before the button's transaction, or a later one of it."""
        if self.at_workbook:
            clerk = self.office.clerk(self.actor)
            if meanwhile:
                clerk.meanwhile(meanwhile, before)
            try:
                clerk.presses(button)
            except Refusal as refusal:
                return refusal
            return None
        book = NoWorkbook(self.office.folder, {"Cycle": self.cycle, "Period": self.period, **FILES})
        store = cast("MeetingStore", MeetingStore.open(self.office.url, self.office.clock))
        store.meanwhile = [meanwhile] if meanwhile else []
        answer = perform(button, lambda: Desk(book, store, self.actor, self.office.folder), book, self.office.folder)
        return answer if isinstance(answer, Refusal) else None


def interleave(office: Office, first: str, second: str, before: int = 1) -> None:
    """Lea looks for `first`, Lou does `second`, Lea writes; then what must be so, and the way out."""
    store = office.store()
    try:
        _interleave(office, store, first, second, before)
        assert verify(store) == []
    finally:
        store.close()


def _interleave(office: Office, store: Store, first: str, second: str, before: int) -> None:
    lea, lou = (
        Seat(office, who, bool(ACTS[act].types) or first == second) for who, act in (("lea", first), ("lou", second))
    )
    lea.types(ACTS[first])
    lou.types(ACTS[second])
    answers: dict[str, Refusal | None] = {}
    events = {who: _events(store, who) for who in ("lea", "lou")}

    def meanwhile() -> None:
        answers["lou"] = lou.presses(ACTS[second].button)

    answers["lea"] = lea.presses(ACTS[first].button, meanwhile, before)
    assert len(answers) == 2, "the button has no transaction to stop before"
    for actor, act in (("lea", first), ("lou", second)):
        refusal = answers[actor]
        if refusal is None:
            assert ACTS[act].probe(store, actor) == ACTS[act].done, f"{actor} was told that {act} is done"
        else:
            assert refusal.problem.code in CATALOGUE
            assert refusal.problem.code != "unexpected"
            assert before > 1 or _events(store, actor) == events[actor], (
                f"{actor} was refused, yet something was written"
            )
    _nothing_twice(store)
    if before > 1 and answers["lea"]:
        assert lea.presses(ACTS[first].button) is None  # its first half waits: the same button goes on with it
    _way_out(office, store, lea, refused=answers["lea"] is not None)


def _events(store: Store, actor: str) -> object:
    return store.value("SELECT COUNT(*) FROM events WHERE actor = :a", a=actor)


def _nothing_twice(store: Store) -> None:
    for act in ACTS.values():
        if act.done == 1:
            assert all(int(str(act.probe(store, actor))) <= 1 for actor in ("lea", "lou"))
    for table in ("payments", "adjustments", "draft_bills"):
        late = (
            f"{table} d JOIN periods p ON p.period = d.period WHERE p.state = 'closed' AND d.state IN ('open', 'draft')"
        )
        assert store.value(f"SELECT COUNT(*) FROM {late}") == 0


def _way_out(office: Office, store: Store, lea: Seat, refused: bool) -> None:
    """Whatever happened, the month that is open can be posted and closed, and everything that waited is posted."""
    closed = store.value("SELECT state FROM periods WHERE period = '2026-11'") == "closed"
    month, cycle = (DECEMBER, "B") if closed else (PERIOD, "A")
    if refused and lea.at_workbook:
        assert lea.presses("refresh") is None  # what she typed does not stand in the way
    terminal = Seat(office, "lou", False, cycle, month)
    posted = terminal.presses("post")
    if store.value("SELECT COUNT(*) FROM draft_bills WHERE state = 'draft'"):  # something they go by was changed since
        assert posted is None or posted.problem.code == "drafts_stale"
        posted = terminal.presses("compute") or terminal.presses("post")
    assert posted is None
    assert terminal.presses("close_month") is None
    for table in ("payments", "adjustments"):
        assert store.value(f"SELECT COUNT(*) FROM {table} WHERE state = 'open'") == 0
    assert store.value("SELECT state FROM periods WHERE period = :p", p=month) == "closed"


@pytest.mark.stage("busy")
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_one_button_between_the_look_and_the_write_of_another(desk_office: Office, first: str, second: str) -> None:
    interleave(desk_office, first, second)


@pytest.mark.stage("busy")
@pytest.mark.parametrize("second", ["Post", "Reverse", "Undo", "Close"])
def test_another_button_between_the_two_halves_of_reverse(desk_office: Office, second: str) -> None:
    """Reverse takes in what is typed, then posts it: who comes between finds a correction that waits."""
    interleave(desk_office, "Reverse", second, before=2)


@pytest.fixture
def postgres_office(
    stages: Callable[[str, bool], Stages], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Office]:
    """The office on PostgreSQL alone: on SQLite every pair is tried above."""
    yield from an_office(stages, "postgres", request, tmp_path)


@pytest.mark.stage("busy")
@pytest.mark.parametrize(
    ("first", "second"),
    [("Post", "Close"), ("Close", "Post"), ("Undo", "Post"), ("Reverse", "Reverse"), ("Adjust", "Close"), ("Close", "Adjust")],
)  # fmt: skip
def test_buttons_that_lock(postgres_office: Office, first: str, second: str) -> None:
    """The same on the database of several clerks, whose locks are its own."""
    interleave(postgres_office, first, second)
