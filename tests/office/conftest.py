"""The small district on SQLite and on PostgreSQL, at every stage of its month, with a desk for each of its staff."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.office.small import PERIOD, Clerk, Clock, beacon, open_books
from tests.store.cluster import cluster
from xlbilling.build import build_workbook
from xlbilling.store import Store
from xlbilling.store.store import sqlite_path

STAGES = ("opened", "imported", "computed", "posted")


@dataclass
class Office:
    """One district in a folder: its store, and a copy of the workbook for everybody who sits down."""

    folder: Path
    url: str
    clock: Clock
    _desks: dict[str, Clerk] = field(default_factory=dict)

    def clerk(self, actor: str) -> Clerk:
        """The desk of a person: their own copy of the workbook, as the office's workbook stands when they sit down."""
        if actor not in self._desks:
            own = self.folder / f"{actor}.xlsm"
            shutil.copy(self.folder / "billing.xlsm", own)
            self._desks[actor] = Clerk(own, self.url, actor, self.clock)
        return self._desks[actor]

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

    def table(self, name: str, where: str = "", order: str = ""):
        store = self.store()
        try:
            return store.table(name, where, order)
        finally:
            store.close()


class Stages:
    """Offices stopped at each stage of the month; made once a session, a test works on a copy."""

    def __init__(self, kind: str, folder: Path):
        self.kind, self.folder = kind, folder
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
            if before:
                shutil.copy(made.lead.path, made.folder / "billing.xlsm")
            self._made[stage] = made
        return self._made[stage]

    def _opened(self, folder: Path) -> Office:
        url = f"sqlite:///{folder / 'billing.db'}" if self.kind == "sqlite" else cluster().database()
        build_workbook(folder / "billing.xlsm")
        return Office(folder, url, Clock())

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
        return Office(folder, url, clock)


def _open(office: Office) -> None:
    open_books(office.url)
    first = Clerk(office.folder / "billing.xlsm", office.url, "lea", office.clock)
    first.press("refresh", Period=PERIOD, Cycle="A")


def _import(office: Office) -> None:
    office.lead.press("import_reads", ReadsFile=office.file("reads.csv", beacon()))
    office.lead.press("validate")


_DO: dict[str, Callable[[Office], object]] = {
    "opened": _open,
    "imported": _import,
    "computed": lambda office: office.lead.press("compute"),
    "posted": lambda office: office.lead.press("post"),
}


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def stages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """Offices at every stage on one kind of database."""
    if request.param == "postgres":
        cluster()
    return Stages(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def plain_stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """Offices at every stage on SQLite, for what does not touch the database's own ways."""
    return Stages("sqlite", tmp_path_factory.mktemp("plain"))


def _office(stages: Stages, request: pytest.FixtureRequest, folder: Path) -> Iterator[Office]:
    marker = request.node.get_closest_marker("stage")
    made = stages.at(marker.args[0] if marker else "opened", folder)
    yield made
    if stages.kind == "postgres":
        cluster().drop(made.url)


@pytest.fixture
def office(stages: Stages, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office of the test's own on either database, at the stage its marker `stage` names (opened without one)."""
    yield from _office(stages, request, tmp_path)


@pytest.fixture
def desk_office(plain_stages: Stages, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """The same on SQLite only: for what happens on sheets."""
    yield from _office(plain_stages, request, tmp_path)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stage(name): how far the small district's month has come")
