"""The small district on SQLite and on PostgreSQL, at every stage of its month, with a desk for each of its staff."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.office.busy import keep_busy
from tests.office.small import PERIOD, Clerk, Clock, beacon, open_books
from tests.store.cluster import cluster
from xlbilling.maker import build_workbook
from xlbilling.store import Store
from xlbilling.store.store import sqlite_path
from xlbilling.store.views import OF_SECTION
from xlbilling.workbook.memory import MemoryWorkbook

STAGES = ("opened", "imported", "computed", "posted", "busy")


@dataclass
class Office:
    """One district in a folder: its store, and a copy of the workbook for everybody who sits down.

    `book` is the office's workbook in memory; without it everybody works on a copy of the file billing.xlsm.
    """

    folder: Path
    url: str
    clock: Clock
    book: MemoryWorkbook | None = None
    _desks: dict[str, Clerk] = field(default_factory=dict)

    def clerk(self, actor: str) -> Clerk:
        """The desk of a person: their own copy of the workbook, as the office's workbook stands when they sit down."""
        if actor not in self._desks:
            self._desks[actor] = self._seated(actor)
        return self._desks[actor]

    def _seated(self, actor: str) -> Clerk:
        if self.book is not None:
            return Clerk.in_memory(self.book.copied(self.folder), actor, self.url, self.clock)
        own = self.folder / f"{actor}.xlsm"
        shutil.copy(self.folder / "billing.xlsm", own)
        return Clerk.at_file(own, actor, self.url, self.clock)

    def left_by(self, clerk: Clerk) -> None:
        """From here on everybody who sits down finds the workbook as this clerk left it."""
        if self.book is None:
            shutil.copy(clerk.path, self.folder / "billing.xlsm")
        else:
            self.book = clerk.workbook().copied(self.folder)

    @property
    def lead(self) -> Clerk:
        return self.clerk("lea")

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def store(self) -> Store:
        return Store.open(self.url, self.clock)

    def value(self, sql: str, **values: object) -> object:
        store = self.store()
        try:
            return store.value(sql, **values)
        finally:
            store.close()

    def converted(self, sql: str) -> None:
        """Rows as an old system left them, which no Save would take."""
        store = self.store()
        with store.work("lea", "convert") as work:
            work.execute(sql)
        store.close()

    def sections(self, where: str, **values: object):
        """The sections of bills, one a service, with what their bill says."""
        store = self.store()
        try:
            return store.query(OF_SECTION, f"SELECT * FROM sections WHERE {where}", **values)
        finally:
            store.close()

    def table(self, name: str, where: str = "", order: str = ""):
        store = self.store()
        try:
            return store.table(name, where, order)
        finally:
            store.close()


class Stages:
    """Offices stopped at each stage of the month; made once a session, a test works on a copy."""

    def __init__(self, kind: str, folder: Path, on_file: bool):
        self.kind, self.folder, self.on_file = kind, folder, on_file
        self._made: dict[str, Office] = {}

    def at(self, stage: str, folder: Path) -> Office:
        """A fresh copy of the office at a stage."""
        return self._copied(self._stage(stage), folder)

    def _stage(self, stage: str) -> Office:
        if stage not in self._made:
            folder = self.folder / stage
            folder.mkdir()
            before = STAGES.index(stage)
            made = self._opened(folder) if not before else self._copied(self._stage(STAGES[before - 1]), folder)
            _DO[stage](made)
            made.left_by(made.lead)
            self._made[stage] = made
        return self._made[stage]

    def _opened(self, folder: Path) -> Office:
        url = f"sqlite:///{folder / 'billing.db'}" if self.kind == "sqlite" else cluster().database()
        if self.on_file:
            build_workbook(folder / "billing.xlsm")
        return Office(folder, url, Clock(), None if self.on_file else MemoryWorkbook(folder))

    def _copied(self, office: Office, folder: Path) -> Office:
        for path in office.folder.iterdir():
            if path.is_file() and path.suffix in (".xlsm", ".csv"):
                shutil.copy(path, folder / path.name)
        if self.kind == "postgres":
            url = cluster().database(like=office.url)
        else:
            source = sqlite_path(office.url)
            assert source is not None
            shutil.copy(source, folder / "billing.db")
            url = f"sqlite:///{folder / 'billing.db'}"
        clock = Clock()
        clock.now = office.clock.now
        return Office(folder, url, clock, office.book and office.book.copied(folder))


def _open(office: Office) -> None:
    open_books(office.url)
    office.lead.press("refresh", Period=PERIOD, Cycle="A")


def _import(office: Office) -> None:
    office.lead.press("import_reads", ReadsFile=office.file("reads.csv", beacon()))
    office.lead.press("validate")


_DO: dict[str, Callable[[Office], object]] = {
    "opened": _open,
    "imported": _import,
    "computed": lambda office: office.lead.press("compute"),
    "posted": lambda office: office.lead.press("post"),
    "busy": keep_busy,
}


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Stages]:
    """Offices at every stage on one kind of database, at a workbook in memory or on the file."""

    @cache
    def of(kind: str, on_file: bool) -> Stages:
        return Stages(kind, tmp_path_factory.mktemp(kind), on_file)

    return of


@pytest.fixture(scope="session")
def plain_stages(stages: Callable[[str, bool], Stages]) -> Stages:
    """Offices at every stage on SQLite and in memory, for tests that share one."""
    return stages("sqlite", False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "office" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize("office", ["sqlite", "postgres"] if both else ["sqlite"], indirect=True)


def an_office(
    stages: Callable[[str, bool], Stages], kind: str, request: pytest.FixtureRequest, folder: Path
) -> Iterator[Office]:
    stage = request.node.get_closest_marker("stage")
    on_file = request.node.get_closest_marker("on_file") is not None
    made = stages(kind, on_file).at(stage.args[0] if stage else "opened", folder)
    yield made
    if kind == "postgres":
        cluster().drop(made.url)


@pytest.fixture
def office(stages: Callable[[str, bool], Stages], request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office of the test's own, opened or at the stage its mark `stage` names, with the workbook in memory.

    The mark `on_file` puts it on the file, for what is proven of sheets; `both_databases` on PostgreSQL as well, for
    what the database itself does: posting, numbers, locks, triggers.
    """
    yield from an_office(stages, request.param, request, tmp_path)


@pytest.fixture
def desk_office(
    stages: Callable[[str, bool], Stages], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Office]:
    """The same, on SQLite always."""
    yield from an_office(stages, "sqlite", request, tmp_path)


def pytest_configure(config: pytest.Config) -> None:
    for mark in (
        "stage(name): how far the small district's month has come",
        "on_file: at a workbook file, for what is proven of sheets",
        "both_databases: on SQLite and on PostgreSQL, for what the database itself does",
    ):
        config.addinivalue_line("markers", mark)
