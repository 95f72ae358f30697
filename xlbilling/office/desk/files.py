"""A file is taken in once: known by its content, and again only where its import was taken back or replaced."""

from __future__ import annotations

import hashlib
from pathlib import Path

from xlbilling.office.desk.desk import Desk


def digest_of(path: Path) -> str:
    """The digest a file is known by, taken piece by piece: the file may be far larger than what will be read."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def import_key(desk: Desk, kind: str, of: str, digest: str) -> str:
    """The key under which a file is taken in once; a file whose import was withdrawn or replaced may come again."""
    before = desk.store.value(
        "SELECT COUNT(*) FROM imports WHERE kind = :k AND digest = :d AND state <> :current", k=kind, d=digest
    )
    return f"{kind} {of} {digest}" + (f" again {before}" if before else "")
