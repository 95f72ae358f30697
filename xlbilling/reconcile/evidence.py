"""Evidence: which document or batch of the subledger a GL row names, and which key each line answers to.

A key is a document's number, or past those a batch's number. A row that names nothing has no key; nothing is
inferred here from amounts.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.reconcile.books import NONE, Books, Flags, Ints

_WORD: Final = re.compile(r"[A-Za-z0-9][\w./#-]*")


def name_keys(books: Books) -> None:
    """Give every GL row the key it names and every line the finest of its keys that some GL row names."""
    books.gl.key[:] = _named(books)
    docs = len(books.documents)
    used = np.zeros(docs + len(books.batches) + 1, dtype=bool)
    used[books.gl.key[books.gl.key >= 0]] = True
    document, batch = books.document, np.where(books.batch >= 0, books.batch + docs, NONE)
    # used[-1] is the spare last place, never set: a blank document or batch answers to no key
    books.sub.key[:] = np.where(used[document], document, np.where(used[batch], batch, NONE))


def _named(books: Books) -> Ints:
    words = books.gl_words
    reference = words["reference"]
    if len(words) and not (reference != "").any():
        reference = words["description"].str.extract(r"^\s*(\S+)", expand=False).fillna("")
    by_document = _lookup(books.documents, reference)
    key = by_document.copy()
    open_ = np.flatnonzero(key == NONE)
    if not len(open_):
        return key
    by_batch = _lookup(books.batches, reference.take(open_))
    key[open_] = np.where(by_batch >= 0, by_batch + len(books.documents), NONE)
    by_number = int((by_document >= 0).sum()) > int((by_batch >= 0).sum())
    return _from_descriptions(books, key, by_number, (reference != "").to_numpy(dtype=bool))


def _lookup(distinct: pd.Index, texts: pd.Series) -> Ints:
    found = distinct.get_indexer(pd.Index(texts)).astype(np.int64)
    found[(texts == "").to_numpy(dtype=bool)] = NONE
    return found


def _from_descriptions(books: Books, key: Ints, by_number: bool, has_reference: Flags) -> Ints:
    """Keys out of the descriptions of rows whose reference says nothing.

    Where the export numbers documents, a row with its own unknown number is another document of the batch its
    description may mention, so only a document named there counts for it.
    """
    documents = {text: n for n, text in enumerate(books.documents) if text}
    batches = {text: n + len(books.documents) for n, text in enumerate(books.batches) if text}
    rows = np.flatnonzero(key == NONE)
    for row, text in zip(rows, books.gl_words["description"].take(rows), strict=True):
        named = _WORD.findall(text)
        found = {documents[word] for word in named if word in documents}
        if not found and not (by_number and has_reference[row]):
            found = {batches[word] for word in named if word in batches}
        if len(found) == 1:
            key[row] = found.pop()
    return key
