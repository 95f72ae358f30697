"""One meter twice at one moment of a file: which of the repeated rows say something that the first one does not."""

from __future__ import annotations

import pandas as pd

from xlbilling.intake.reads.numbers import canonical

_KEY = ["meter_id", "register_id", "read_date", "read_time"]


def with_second_dials(reads: pd.DataFrame, rejects: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A file's rows and rejects with each repeated row that has another dial among the rows, so that both are looked at.

    Both frames as `ParsedReads` has them. A repeated row with the same dial stays a plain duplicate, and so does one
    without a dial; where the first row is a no-read, the dial that follows is the read of that moment.
    """
    again = rejects["code"].eq("duplicate") & rejects["dial_read"].ne("")
    if not again.any():
        return reads, rejects
    repeated = rejects.loc[again]
    repeated = repeated.assign(read_value=repeated["dial_read"].map(canonical))
    first = reads.drop_duplicates(_KEY)[[*_KEY, "location_id", "read_value"]]
    beside = repeated[_KEY].merge(first, on=_KEY).set_axis(repeated.index)  # each repeats a row that was taken
    second = repeated.assign(location_id=beside["location_id"]).loc[repeated["read_value"].ne(beside["read_value"])]
    second = second.drop_duplicates([*_KEY, "read_value"])
    left = rejects.loc[~rejects.index.isin(second.index)].reset_index(drop=True)
    return pd.concat([reads, second[reads.columns]], ignore_index=True), left
