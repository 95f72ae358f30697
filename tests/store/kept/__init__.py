"""Stores as earlier versions of the program left them, each beside the script that made it."""

from __future__ import annotations

import contextlib
import lzma
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


def unpack(version: int, target: Path) -> str:
    """The kept store of a version as a SQLite file of the test's own; its URL."""
    target.write_bytes(_kept(f"version-{version}.db.xz"))
    return f"sqlite:///{target}"


def load(version: int, url: str) -> None:
    """Put the kept store of a version into an empty PostgreSQL database, with the tables and triggers it had then."""
    import psycopg  # only where there is a server

    lines = _kept(f"version-{version}.sql.xz").decode().splitlines()
    dump = "\n".join(line for line in lines if not line.startswith("\\"))  # what is meant for psql alone
    with contextlib.closing(psycopg.connect(url)) as connection:
        connection.execute(dump.encode())
        connection.commit()


def _kept(name: str) -> bytes:
    return lzma.decompress((FOLDER / name).read_bytes())
