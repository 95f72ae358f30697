"""Estimates on the bill: how a read was estimated, and how many estimated bills an actual read sets right."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.desk import Desk

BY_THE_OFFICE: Final = "by the office"  # where a bill does not say how


def settled_estimates(desk: Desk, bills: pd.DataFrame, of: str, **values: Any) -> pd.Series[int]:
    """How many estimated bills, one after the other, stand directly before each bill that is not estimated itself.

    `bills`: service_id, service_to, read_code; the result has their index. `of` says which services they are of, as the
    condition of a query with its values. Bills of the old system count too.
    """
    earlier = desk.store.query(
        "service_id service_to:day read_code",
        f"SELECT service_id, service_to, read_code FROM used WHERE {of}",  # noqa: S608
        **values,
    )
    return estimates_before(bills, earlier)


def estimates_before(bills: pd.DataFrame, earlier: pd.DataFrame) -> pd.Series[int]:
    """The estimated ones among `earlier` (service_id, service_to, read_code) in a row directly before each bill."""
    own = bills.loc[bills["read_code"].ne("estimated"), ["service_id", "service_to"]].rename_axis("bill").reset_index()
    before = own.merge(earlier, on="service_id", suffixes=("", "_before"))
    before = before.loc[before["service_to_before"].lt(before["service_to"])]
    before = before.sort_values(["bill", "service_to_before"], ascending=[True, False], kind="stable")
    still = before["read_code"].eq("estimated").groupby(before["bill"]).cumprod()
    return still.groupby(before["bill"]).sum().reindex(bills.index).fillna(0).astype("int64")


def told_on_bill(estimate: str, settles: int) -> str:
    """What a bill says of estimates: that it is one and how it was made, or how many it sets right; blank for neither."""
    if estimate:
        return f"This bill is estimated ({estimate}); the next read sets it right."
    if settles:
        bills = "the estimated bill" if settles == 1 else f"{settles} estimated bills"
        return f"The meter was read; this bill settles {bills} before it."
    return ""
