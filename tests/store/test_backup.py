"""Backups: whole, checked, kept, and put back only where nothing is lost by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.office.small import Clock
from tests.store.cluster import cluster
from tests.store.conftest import post_bill, run_plain
from tests.store.test_store import refused
from xlbilling.store import Store, backup, schema
from xlbilling.store.backup import back_up, backed_up, restore
from xlbilling.store.verify import verify
from xlbilling.words.problems import Conflict


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a backup may be put back."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    url = cluster().database()
    yield url
    cluster().drop(url)


def test_a_backup_put_back_is_the_store(posted: Store, empty: str, tmp_path: Path) -> None:
    kept = back_up(posted, tmp_path / "backups", "post")
    restore(kept, empty)
    again = Store.open(empty, Clock())
    for name in schema.metadata.tables:
        pd.testing.assert_frame_equal(again.table(name), posted.table(name))
    assert verify(again) == []
    with pytest.raises(Exception, match="append_only"):
        run_plain(again, "DELETE FROM bills")
    with again.work("lea", "post") as work:
        assert post_bill(work, "S3") == "B0000003"
    assert verify(again) == []
    again.close()


def test_a_store_is_never_restored_over(posted: Store, tmp_path: Path) -> None:
    kept = back_up(posted, tmp_path / "backups", "post")
    assert isinstance(refused("restore_over", lambda: restore(kept, posted.url)), Conflict)
    assert posted.value("SELECT COUNT(*) FROM bills") == 2


def test_the_journal_of_a_lost_store_is_not_played_into_the_restored_one(posted: Store, tmp_path: Path) -> None:
    kept = back_up(posted, tmp_path / "backups", "post")
    (tmp_path / "lost.db-wal").write_bytes(b"old")
    assert "lost.db-wal" in str(refused("restore_over", lambda: restore(kept, f"sqlite:///{tmp_path / 'lost.db'}")))
    assert not (tmp_path / "lost.db").exists()


def test_there_must_be_a_backup(tmp_path: Path) -> None:
    refused("backup_broken", lambda: restore(tmp_path / "none.db", f"sqlite:///{tmp_path / 'new.db'}"))


def test_a_copy_that_lacks_rows_does_not_count(posted: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = "_copy_sqlite" if posted.dialect == "sqlite" else "_copy_tables"
    plain = getattr(backup, copy)

    def lossy(source: object, target: object) -> None:
        plain(source, target)
        path = Path(str(target).removeprefix("sqlite:///"))
        with sqlite3.connect(path) as connection:
            for trigger in ("bills_no_delete", "bills_append_only"):
                connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            connection.execute("DELETE FROM bills WHERE number = 'B0000002'")

    monkeypatch.setattr(backup, copy, lossy)
    assert "bills: 1 of 2" in str(refused("backup_broken", lambda: back_up(posted, tmp_path / "backups", "post")))
    assert list((tmp_path / "backups").glob("*.db")) == []


def test_a_copy_with_a_broken_chain_does_not_count(posted: Store, tmp_path: Path) -> None:
    drop = (
        "DROP TRIGGER events_no_update" if posted.dialect == "sqlite" else "DROP TRIGGER events_append_only ON events"
    )
    run_plain(posted, drop, "UPDATE events SET detail = 'x' WHERE event = 1")
    assert "chain" in str(refused("backup_broken", lambda: back_up(posted, tmp_path / "backups", "post")))


def test_a_backup_that_cannot_be_made_is_told_beside_what_was_done(posted: Store, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file where the folder should be")
    name, problems = backed_up(posted, tmp_path / "backups", "post")
    assert name == "none was made"
    assert [p.code for p in problems] == ["backup_broken"]


def test_the_latest_of_each_sort_are_kept(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many postings never push out the backup of a close."""
    monkeypatch.setattr(backup, "KEEP", 2)
    folder = tmp_path / "backups"
    back_up(store, folder, "close-2026-11")
    for _ in range(3):
        last = back_up(store, folder, "post")
    assert len(list(folder.glob("*-post.db"))) == 2
    assert len(list(folder.glob("*-close-2026-11.db"))) == 1
    assert last.exists()
    assert list(folder.glob("*.partial*")) == []


def test_a_copy_that_stops_half_way_is_none_at_all(
    posted: Store, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tables are copied in one transaction: no row waits for the disk by itself, and what stops leaves nothing."""
    kept = back_up(posted, tmp_path / "backups", "post")
    plain, put = backup._put, []

    def stops(connection: object, table: object, *more: object) -> None:
        put.append(table)
        if len(put) > 3:
            raise OSError("no space left on device")
        plain(connection, table, *more)

    with monkeypatch.context() as patched:
        patched.setattr(backup, "_put", stops)
        source = Store.open(f"sqlite:///{kept}")
        with pytest.raises(OSError, match="no space"):
            backup._copy_tables(source, empty)
        source.close()
        if posted.dialect != "sqlite":
            refused("backup_broken", lambda: back_up(posted, tmp_path / "more", "post"))
            assert list((tmp_path / "more").iterdir()) == []
    target = Store(empty, Store.engine_of(empty), Clock())
    assert sa.inspect(target.engine).get_table_names() == []
    target.close()
