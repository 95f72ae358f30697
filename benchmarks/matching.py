"""Matching speed: reconciling one million lines with one million rows, as a ratio to DuckDB's join of the same tables.

Run it alone: `python benchmarks/matching.py [ROWS]`. Each figure is the best of four runs in one process, taken in turns.
`by name` numbers the texts and matches; `on numbers` is the matching alone; `whole` is everything `reconcile` does, with the control table.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd

from xlbilling.trade.reconcile import Terms, reconcile
from xlbilling.trade.reconcile.books import Books, open_books
from xlbilling.trade.reconcile.cells import match_keyed
from xlbilling.trade.reconcile.evidence import name_keys

ACCOUNTS = {f"OWN-{n}": f"1{n:03d}" for n in range(14)}
TERMS = Terms(dt.date(2026, 7, 1), dt.date(2026, 7, 31), ACCOUNTS, tuple(list(ACCOUNTS.values())[:5]))


def books_of(rows: int, seed: int = 7) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Documents of two lines each, posted row by row up to four days later in another order; 0.1% are missing."""
    rng = np.random.default_rng(seed)
    document = np.arange(rows) // 2
    cents = rng.integers(100, 50_000, size=rows // 2 + 1)[document]
    own = np.where(np.arange(rows) % 2 == 0, document % 7, 7 + document % 7)
    day = rng.integers(0, 26, size=rows // 2 + 1)[document]
    start = np.datetime64("2026-07-01")
    reference = pd.Series(np.char.add("P", (1_000_000 + document).astype(str)), dtype="str")
    sub = pd.DataFrame(
        {
            "id": pd.Series(np.char.add("S", np.arange(rows).astype(str)), dtype="str"),
            "post_date": start + day,
            "kind": pd.Series(np.where(document % 2, "payment", "billing"), dtype="str"),
            "account_id": pd.Series((document % 100_000).astype(str), dtype="str"),
            "batch": pd.Series(np.char.add("LB", day.astype(str)), dtype="str"),
            "reference": reference,
            "gl_account": pd.Series(np.array(list(ACCOUNTS))[own], dtype="str"),
            "amount_cents": np.where(np.arange(rows) % 2 == 0, cents, -cents),
        }
    )
    order = rng.permutation(rows)[: rows - rows // 1000]
    gl = pd.DataFrame(
        {
            "row": np.arange(1, len(order) + 1),
            "date": (start + day + rng.integers(0, 5, size=rows))[order],
            "gl_account": pd.Series(np.array(list(ACCOUNTS.values()))[own][order], dtype="str"),
            "reference": reference.take(order).reset_index(drop=True),
            "description": pd.Series([""] * len(order), dtype="str"),
            "source": pd.Series(["CR"] * len(order), dtype="str"),
            "amount_cents": sub["amount_cents"].to_numpy()[order],
            "kind": pd.Series(["posting"] * len(order), dtype="str"),
        }
    )
    return sub, gl


def best_of(works: dict[str, Callable[[], object]], rounds: int = 4) -> dict[str, tuple[float, float]]:
    """The best wall and processor seconds of each, taken in turns so that a busy moment is shared by all."""
    best = {name: (float("inf"), float("inf")) for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            wall, used = time.perf_counter(), time.process_time()
            work()
            wall, used = time.perf_counter() - wall, time.process_time() - used
            best[name] = min(best[name][0], wall), min(best[name][1], used)
    return best


def by_name(sub: pd.DataFrame, gl: pd.DataFrame) -> int:
    books = open_books(sub, gl, TERMS)
    name_keys(books)
    match_keyed(books)
    return books.matched


def numbers_of(books: Books) -> dict[str, pd.DataFrame]:
    """Both books as numbers alone: what is left to match once the texts are numbered."""
    return {
        name: pd.DataFrame({"a": side.account, "k": side.key, "c": side.cents, "i": side.position})
        for name, side in (("sn", books.sub), ("gn", books.gl))
    }


def match_again(books: Books) -> None:
    for side in (books.sub, books.gl):
        side.match[:] = -1
    books.matched, books.confidence = 0, []
    match_keyed(books)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sub, gl = books_of(rows)
    link = duckdb.connect()
    mine = sub.assign(gl_account=sub["gl_account"].map(ACCOUNTS))
    books = open_books(sub, gl, TERMS)
    name_keys(books)
    for name, frame in {"s": mine, "g": gl, **numbers_of(books)}.items():
        link.register("frame", frame)
        link.execute(f"create table {name} as select * from frame")
        link.unregister("frame")
    joined = (
        "from s join g on s.gl_account = g.gl_account and s.reference = g.reference and s.amount_cents = g.amount_cents"
    )
    grouped = (
        "from (select gl_account, reference, sum(amount_cents) c, list(id) i from s group by all) s join"
        " (select gl_account, reference, sum(amount_cents) c, list(row) r from g group by all) g"
        " on s.gl_account = g.gl_account and s.reference = g.reference and s.c = g.c"
    )
    plain = f"create or replace table m as select s.id, g.row {joined}"
    summed = f"create or replace table m as select s.i, g.r {grouped}"
    numbers = "create or replace table m as select sn.i, gn.i j from sn join gn on sn.a = gn.a and sn.k = gn.k and sn.c = gn.c"
    figures = best_of(
        {
            "DuckDB join, written as a table": lambda: link.execute(plain),
            "DuckDB sums by document, then join (what we do)": lambda: link.execute(summed),
            "DuckDB join on numbers": lambda: link.execute(numbers),
            "xlbilling, sums and matches on numbers": lambda: match_again(books),
            "xlbilling, by name": lambda: by_name(sub, gl),
            "xlbilling, whole reconcile()": lambda: reconcile(sub, gl, TERMS),
        }
    )
    base_wall, base_used = next(iter(figures.values()))
    print(f"{rows:,} lines x {len(gl):,} rows; {by_name(sub, gl):,} matches by name")
    print(f"{'':50} {'wall':>9} {'ratio':>7} {'processor':>11} {'ratio':>7}")
    for name, (wall, used) in figures.items():
        print(f"{name:50} {wall:7.3f} s {wall / base_wall:6.1f}x {used:9.3f} s {used / base_used:6.1f}x")


if __name__ == "__main__":
    main()
