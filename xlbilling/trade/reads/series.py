"""Series: of the reads that came for a register, the one that is settled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.measure import Window, register_key


def one_read_each(reads: pd.DataFrame, registers: pd.DataFrame, window: Window) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One read of each known register, with how many different others it has; and the reads of unknown meters.

    Adds register_key, register_at (the register's row among `registers`), `others` and `differing`, the different dials of a
    register that has several, as a person reads them.

    A register that a network reads again and again sends a series: every read with a time, no moment twice, on more
    than one day or three and more on one. Its last read of the window is the one that is settled, and the others are
    no duplicates. Otherwise the first read stands, and `others` counts the different ones beside it.
    """
    key = register_key(reads["meter_id"], reads["register_id"])
    keyed = reads.rename(columns={"unit": "read_unit"}).assign(register_key=key)
    at = pd.Index(registers["register_key"]).get_indexer(pd.Index(key))
    keyed, known = keyed.assign(register_at=at), at >= 0
    unknown, keyed = keyed.iloc[np.flatnonzero(~known)], keyed if known.all() else keyed.iloc[np.flatnonzero(known)]
    twice = keyed["register_key"].duplicated(keep=False).to_numpy(dtype=bool)
    if not twice.any():
        return keyed.assign(others=0, differing=""), unknown
    several = keyed.iloc[np.flatnonzero(twice)]
    several = several.loc[several["read_code"].ne("no_read")]
    of_series = _in_series(several)
    last = _last_of_each(several.loc[of_series], window).assign(others=0, differing="")
    rest = several.loc[~of_series]
    different = rest.drop_duplicates(["register_key", "read_value"]).groupby("register_key")["dial_read"]
    first = rest.drop_duplicates("register_key")
    first = first.assign(
        others=first["register_key"].map(different.size() - 1).astype("int64"),
        differing=first["register_key"].map(different.agg(" and ".join)).astype("str"),
    )
    single = keyed.iloc[np.flatnonzero(~twice)].assign(others=0, differing="")
    tried = keyed.iloc[np.flatnonzero(twice)].drop_duplicates("register_key")
    tried = tried.loc[~tried["register_key"].isin(several["register_key"])].assign(
        others=0, differing=""
    )  # only failed attempts
    return pd.concat([single, first, last, tried]).sort_index(), unknown


def _in_series(reads: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The rows that belong to a register read again and again: all timed, no moment twice, over days or many a day."""
    timed = reads["read_time"].ne("") & reads["read_date"].notna()
    by_register = reads["register_key"]
    again = reads.duplicated(["register_key", "read_date", "read_time"])
    # A register's rows are a series together or not at all.
    whole = (timed & ~again).groupby(by_register).transform("all")
    days = reads["read_date"].groupby(by_register).transform("nunique")
    count = by_register.groupby(by_register).transform("size")
    made: npt.NDArray[np.bool_] = (whole & (days.gt(1) | count.ge(3))).to_numpy(dtype=bool)
    return made


def _last_of_each(reads: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The last read of each register's series, inside the window where there is one, with a value where there is one."""
    inside = reads["read_date"].between(pd.Timestamp(window.read_from), pd.Timestamp(window.read_to))
    ranked = reads.assign(_inside=inside, _value=reads["read_value"].notna())
    ranked = ranked.sort_values(["_inside", "_value", "read_date", "read_time"], kind="stable")
    last: Any = ranked.drop_duplicates("register_key", keep="last")
    made: pd.DataFrame = last.drop(columns=["_inside", "_value"])
    return made
