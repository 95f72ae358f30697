"""Looking: what a button looked at before it writes, it looks at again inside its transaction.

A button looks first (is the month open, what is there already, what would come of it), may read a file or ask, and writes
after that; meanwhile anybody may write. So it looks through a `Look`, which remembers what it saw and opens the
transaction: nothing is written unless everything is still as it was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pandas as pd

from xlbilling.office.desk.changes import last_event
from xlbilling.office.desk.desk import PERIOD_NOT_OPEN, Desk
from xlbilling.office.desk.months import Months
from xlbilling.store import Work
from xlbilling.store.store import PERIOD_CLOSED
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Conflict, Kind, Place, declare

MOVED_ON: Final = declare(
    "store_moved_on",
    "Somebody wrote to the store after the preview was made.",
    "Look at the preview again and press the button again.",
)
_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True)
class _Sight:
    """One thing that was looked at, what was seen, and what is said where it is another by now."""

    look: Callable[[Desk], Any]
    seen: Any
    kind: Kind
    place: Place | None


class Look:
    """What one button looks at, from its first look to its transaction."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self._event = last_event(desk)
        self._sights: list[_Sight] = []
        self._month: AccountingPeriod | None = None
        self.moved = False  # inside the transaction: whether anybody has written since the first look

    def open_month(self) -> AccountingPeriod:
        """The accounting period on Start, which must be open now and still be when the work is written."""
        self._month = self.desk.need_open()
        return self._month

    def at(self, look: Callable[[Desk], _Seen], kind: Kind = MOVED_ON, place: Place | None = None) -> _Seen:
        """What `look` sees of the store; a conflict of this kind where it sees something else inside the transaction.

        A look that refuses does so at once, and refuses again inside.
        """
        seen = look(self.desk)
        self._sights.append(_Sight(look, seen, kind, place))
        return seen

    @contextmanager
    def work(self, action: str, key: Callable[[Desk], str] | None = None) -> Iterator[Work]:
        """The button's transaction, entered only where all is still as it was seen; `key` is looked up inside too.

        Every write leaves an event, so where no event was added since the first look there is nothing to look at.
        """
        with self.desk.store.work(self.desk.actor, action) as work:
            inside = self.desk.within(work)
            self.moved = last_event(inside) != self._event
            if self.moved:
                self._again(work, inside)
            work.key = key(inside) if key else None
            yield work

    def _again(self, work: Work, inside: Desk) -> None:
        if self._month is not None and not Months.of(work).takes(self._month):
            raise _closed_meanwhile(work, self._month)
        for sight in self._sights:
            if not _same(sight.look(inside), sight.seen):
                raise Conflict(sight.kind.at(sight.place, _who_wrote(work)))


def _same(now: Any, seen: Any) -> bool:
    return bool(now.equals(seen) if isinstance(now, pd.DataFrame) else now == seen)


def _closed_meanwhile(work: Work, month: AccountingPeriod) -> Conflict:
    who = work.value("SELECT closed_by FROM periods WHERE period = :p", p=str(month)) or "somebody"
    fact = f"{who} closed {month} meanwhile; the first open month is {Months.of(work).first_open}"
    return Conflict(PERIOD_CLOSED.at(Place(table="Start", cell="Period"), fact, PERIOD_NOT_OPEN.remedy))


def _who_wrote(work: Work) -> str:
    last = work.query("event:int actor", "SELECT event, actor FROM events ORDER BY event DESC LIMIT 1").iloc[0]
    return f"{last['actor']} wrote meanwhile (event {last['event']})"
