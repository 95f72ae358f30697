"""Filling: a sheet written from the store, and how the next press knows at a glance that nobody has typed on it since.

Start keeps the fingerprint of every sheet that can be saved as it was filled, in a cell of its own. A sheet that still
has it holds no typing; only the others are compared with the store row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from xlbilling.office.desk.changes import moved_on
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import SURFACES, saved, view
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import give
from xlbilling.workbook.fingerprint import fingerprint
from xlbilling.workbook.port import SheetTable, TypedRow

_CELL: Final = "Filled"
_ON_START: Final[list[Callable[[Desk], None]]] = []


def fill_sheets(
    desk: Desk, names: Sequence[str], typing: Mapping[str, Sequence[TypedRow]] | None = None, anew: bool = True
) -> None:
    """Write these sheets from the store, with what is given of a person's typing laid over.

    Without `anew` a sheet that holds its rows already is left as it is, looks and all.
    """
    marked = {name for name in saved() if name in names}
    kept = {name: mark for name, mark in _filled(desk).items() if name not in marked}
    prints: dict[str, str] = {}
    if marked:
        _note(desk, kept)  # a press that stops half way leaves no fingerprint of what is half written
    for done, name in enumerate(names):
        if anew:
            desk.book.progress(f"Sheet {TABLE[name].sheet.name}", done, len(names))
        rows, over = view(desk, name), (typing or {}).get(name, ())
        prints[name] = "" if over else fingerprint(TABLE[name], give(TABLE[name], rows))
        if anew or over or desk.book.read(name).fingerprint != prints[name]:
            desk.book.write(name, rows, typing=over)
    if marked:
        _note(desk, kept | {name: prints[name] for name in marked})


def on_start(fill: Callable[[Desk], None]) -> Callable[[Desk], None]:
    """Declare what fills a part of Start, which every button that wrote a sheet brings up to date."""
    _ON_START.append(fill)
    return fill


def fill_start(desk: Desk) -> None:
    """Bring Start up to date."""
    for fill in _ON_START:
        fill(desk)


def untouched(desk: Desk, sheet: SheetTable) -> bool:
    """Whether nobody has typed on a sheet since it was filled.

    Where the store has moved on since, a sheet whose rows can be taken back has to be looked at row by row all the same.
    """
    mark = _filled(desk).get(sheet.table.name)
    if not mark or sheet.problems or sheet.fingerprint != mark:
        return False
    return not (SURFACES[sheet.table.name].can_leave and moved_on(desk))


def _filled(desk: Desk) -> dict[str, str]:
    words = str(desk.book.get(_CELL) or "").split()
    return dict(zip(words[::2], words[1::2], strict=False))


def _note(desk: Desk, marks: Mapping[str, str]) -> None:
    desk.book.put(_CELL, " ".join(f"{name} {mark}" for name, mark in marks.items() if mark) or None)
