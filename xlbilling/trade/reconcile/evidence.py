"""Evidence: which document or batch of the subledger a GL row names, and which key each line answers to.

A key is a document's number, or past those a batch's number. A row that names nothing has no key; nothing is
inferred here from amounts.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.trade.reconcile.books import NONE, Books, Flags, Ints

_WORD: Final = re.compile(r"[A-Za-z0-9][\w./#-]*")


def name_keys(books: Books) -> None:
    """Give every GL row the key it names and every line the finest of its keys that some GL row names."""
    keys = books.first_batch_key + len(books.batches)
    ours = np.zeros(keys + 1, dtype=bool)
    ours[books.document[books.document >= 0]] = True
    books.gl.key[:] = _named(books, ours)
    named = np.zeros(keys + 1, dtype=bool)
    named[books.gl.key] = True
    # the spare last place is what -1 reaches: a blank document or batch answers to no key
    named[NONE] = False
    batch = np.where(books.batch >= 0, books.batch + books.first_batch_key, NONE)
    books.sub.key[:] = np.where(named[books.document], books.document, np.where(named[batch], batch, NONE))


def _named(books: Books, ours: Flags) -> Ints:
    """The key each row names: its reference is a document or batch of ours, or its description names one."""
    document = books.gl_document
    words = pd.Index([], dtype="str")
    if len(document) and not (document >= 0).any():
        # no reference column: the description opens with the reference
        opens = books.words("description", np.arange(len(document))).str.extract(r"^\s*(\S+)", expand=False).fillna("")
        words = pd.Index(opens)
        document = books.documents.get_indexer(words).astype(np.int64)
        document[(opens == "").to_numpy(dtype=bool)] = NONE
    key = np.where(ours[document], document, NONE)
    open_ = np.flatnonzero(key == NONE)
    if not len(open_):
        return key
    texts = words.take(open_) if len(words) else pd.Index(books.words("reference", open_))
    batch = books.batches.get_indexer(texts).astype(np.int64)
    batch[texts == ""] = NONE
    key[open_] = np.where(batch >= 0, batch + books.first_batch_key, NONE)
    by_number = int((key[key >= 0] < books.first_batch_key).sum()) > int((batch >= 0).sum())
    return _from_descriptions(books, key, ours, by_number, np.asarray(texts != ""))


def _from_descriptions(books: Books, key: Ints, ours: Flags, by_number: bool, has_reference: Flags) -> Ints:
    """Keys out of the descriptions of rows whose reference says nothing.

    Where the export numbers documents, a row with its own unknown number is another document of the batch its
    description may mention, so only a document named there counts for it. `has_reference` is of the rows that had no
    document.
    """
    undocumented = np.flatnonzero((key == NONE) | (key >= books.first_batch_key))
    chosen = key[undocumented] == NONE
    rows, numbered_rows = undocumented[chosen], has_reference[chosen]
    if not len(rows):
        return key
    documents = {str(books.documents[n]): n for n in np.flatnonzero(ours[: books.first_batch_key]).tolist()}
    batches = {text: n + books.first_batch_key for n, text in enumerate(books.batches) if text}
    for row, has_number, text in zip(rows.tolist(), numbered_rows, books.words("description", rows), strict=True):
        said = _WORD.findall(text)
        found = {documents[word] for word in said if word in documents}
        if not found and not (by_number and has_number):
            found = {batches[word] for word in said if word in batches}
        if len(found) == 1:
            key[row] = found.pop()
    return key
