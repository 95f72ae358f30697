"""Patterns: what only several registers together show, from one compound meter to a whole file."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.findings import COVERS, covers, find, quantity, together
from xlbilling.trade.reads.measure import side_of
from xlbilling.trade.reads.register_checks import Bench, cents
from xlbilling.trade.reads.units import MILLION, factor, same

LEAST_READS: Final = 8  # of a file before its order can be doubted
ROOM: Final = 4  # a read is plausible up to so many times what is usual
Bools = npt.NDArray[np.bool_]


def missing_routes(laid: pd.DataFrame, bench: Bench) -> tuple[pd.DataFrame, pd.DataFrame, Bools]:
    """Routes of which no register came: one finding a route, the services it stands for, and its registers.

    A route of one register is left to missing_read, and so is one of which something is billed in the run already.
    """
    wanted = (laid["due"] & ~laid["removed"] & ~laid["awaited"]).to_numpy(dtype=bool) & ~same(laid["route"], "")
    none = wanted & ~laid["route_billed"].to_numpy(dtype=bool) & bench.rules.checked("missing_route", laid)
    missing, routes = laid["missing"].to_numpy(dtype=bool), laid["route"]
    names = set(routes[none & missing])
    if names:
        names -= set(routes[wanted & ~missing])
    listed, covered, marked = [], [], np.zeros(len(laid), dtype=bool)
    at, of_route = np.flatnonzero(none), routes[none].groupby(routes[none]).indices if names else {}
    for name in sorted(names):
        mine = at[of_route[name]]
        if len(mine) < 2:
            continue
        rows = laid.iloc[mine]
        first = rows.iloc[:1].assign(finding_key=name, service_id="", account_id="", at_risk=int(rows["at_risk"].sum()))
        said = f"none of the {len(rows)} registers of route {name} has a read"
        finding = find("missing_route", bench.rules, first, np.ones(1, dtype=bool), "last_read", _words(said))
        finding = finding.assign(meter_id="")  # it is found at its first register, and is about no meter
        listed.append(finding)
        covered.append(covers(finding, rows["service_id"]))
        marked[mine] = bool(len(finding))
    return together(listed), _all(covered), marked


def shifted_files(laid: pd.DataFrame, reads: pd.DataFrame, bench: Bench) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Files of which most reads belong to the row above or below: one finding a file, and the services it stands for.

    `reads` as they were laid (read_at is their row), with import_id and source_line. A read is plausible for a register
    where it is at or past the register's last read and by no more than four times what is usual and the least
    difference.
    """
    at = laid["read_at"].to_numpy(dtype=np.int64)
    came = np.flatnonzero((at >= 0) & laid["has_value"].to_numpy(dtype=bool) & ~laid["removed"].to_numpy(dtype=bool))
    if len(came) < LEAST_READS:
        return together([]), pd.DataFrame(columns=COVERS)
    imports = reads["import_id"].iloc[at[came]].to_numpy(dtype=np.int64)
    lines = reads["source_line"].iloc[at[came]].to_numpy(dtype=np.int64)
    order = np.lexsort((lines, imports))
    rows, imports = came[order], imports[order]
    value = laid["read_value"].to_numpy(dtype=np.int64, na_value=0)[rows]
    last, room = laid["previous_value"].to_numpy(dtype=np.int64)[rows], _room(laid, rows, bench)
    own = _fits(value, last, room)
    same_file = np.r_[imports[1:] == imports[:-1], False]
    above, below = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    above[1:] = _fits(value[1:], last[:-1], room[:-1]) & same_file[:-1]
    below[:-1] = _fits(value[:-1], last[1:], room[1:]) & same_file[:-1]
    known = ~np.isnan(room)
    share = float(bench.rules.fraction("check", "file_shift")) / 100
    listed, covered = [], []
    for number in np.unique(imports).tolist():
        mine = imports == number
        count = int((mine & known).sum())
        fitting = {"above": int((mine & above).sum()), "below": int((mine & below).sum())}
        side = max(fitting, key=lambda name: fitting[name])
        alone = int((mine & own).sum())
        # One of the rows has no neighbour on that side.
        if count < LEAST_READS or fitting[side] < share * (count - 1) or alone > share / 2 * count:
            continue
        mine_rows = laid.iloc[rows[mine]]
        due = mine_rows.loc[mine_rows["due"]]
        first = mine_rows.iloc[:1].assign(
            finding_key=str(number), service_id="", account_id="", meter_id="", customer_class="", meter_size="",
            at_risk=int(due["usual_cents"].sum()),
        )  # fmt: skip
        said = f"of {count} reads {fitting[side]} fit the register of the row {side}, {alone} their own"
        finding = find("file_shift", bench.rules, first, np.ones(1, dtype=bool), "dial_read", _words(said))
        listed.append(finding)
        covered.append(covers(finding, due["service_id"]))
    return together(listed), _all(covered)


def _room(laid: pd.DataFrame, rows: npt.NDArray[np.int64], bench: Bench) -> npt.NDArray[np.float64]:
    """How far each register may plausibly have moved, in millionths on its dial; NaN where nothing is known of it."""
    chosen = laid.iloc[rows]
    room = ROOM * chosen["usual"].to_numpy(dtype=np.float64) + bench.least
    for unit in chosen["unit"].unique():
        mine = same(chosen["unit"], str(unit))
        room[mine] *= float(factor(bench.billing.unit, str(unit), bench.billing.gallons_per_ccf))
    for text in chosen["multiplier"].unique():
        room[same(chosen["multiplier"], str(text))] /= float(Fraction(text))
    return room


def _fits(value: npt.NDArray[np.int64], last: npt.NDArray[np.int64], room: npt.NDArray[np.float64]) -> Bools:
    moved = value - last
    with np.errstate(invalid="ignore"):
        made: Bools = (moved >= 0) & (moved <= room)
    return made


def of_meters(laid: pd.DataFrame, intervals: pd.DataFrame, bench: Bench) -> list[pd.DataFrame]:
    """Compound meters whose small side stands still, master meters that their sub-meters exceed, and leaks."""
    return [_small_side_still(laid, bench), _sub_meters(laid, bench), _leaks(laid, intervals, bench)]


def _small_side_still(laid: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    moved = laid["forward"].to_numpy(dtype=np.int64)
    taken = (laid["due"] & laid["usable"] & ~laid["estimated"]).to_numpy(dtype=bool)
    small = side_of(laid["register_id"], "consumption_low") & taken & (moved == 0)
    if not small.any():
        return together([])
    large = laid.loc[side_of(laid["register_id"], "consumption_high") & taken & (moved > 0)]
    by_meter = large.drop_duplicates("meter_id").set_index("meter_id")
    still = small & laid["meter_id"].isin(by_meter.index).to_numpy(dtype=bool)

    def say(r: Any) -> str:
        other: Any = by_meter.loc[r.meter_id]
        moved = f"{other['register_key']} moved on by {quantity(other['forward'])} {other['unit']}"
        return f"{r.register_key} stands at {r.dial_read} as before while {moved}"

    return find("compound_low_still", bench.rules, laid, still, "dial_read", say)


def _sub_meters(laid: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    """What the meters behind a master used together, against the master; only where every one of its registers is read."""
    behind = ~same(laid["master_meter"], "")
    if not behind.any():
        return together([])
    masters = laid["master_meter"][behind].unique()
    rows = laid.loc[laid["meter_id"].isin(masters) | behind]
    used = bench.billing.of(rows["consumption"].to_numpy(dtype=np.int64), rows["unit"].to_numpy())
    rows = rows.assign(used=used)
    subs = rows.loc[rows["master_meter"].isin(masters) & rows["usable"]]
    sums, counts = subs.groupby("master_meter")["used"].sum(), subs.groupby("master_meter")["meter_id"].nunique()
    whole = rows.groupby("meter_id")["usable"].transform("all") & rows["due"]
    first = rows.loc[rows["meter_id"].isin(masters) & whole].drop_duplicates("meter_id").copy()
    first["used"] = first["meter_id"].map(rows.groupby("meter_id")["used"].sum())
    first["together"] = first["meter_id"].map(sums).fillna(0).astype("int64")
    first["subs"] = first["meter_id"].map(counts).fillna(0).astype("int64")
    first["finding_key"] = first["meter_id"]
    first["at_risk"] = cents((first["together"] - first["used"]).to_numpy(dtype=np.float64) * bench.cents_a_unit)
    more = first["together"] > first["used"] * bench.rules.ratios("submeter_sum", first)
    unit = bench.billing.unit

    def say(r: Any) -> str:
        return f"{r.subs} meters behind {r.meter_id} used {quantity(r.together)} {unit}, the master {quantity(r.used)}"

    return find("submeter_sum", bench.rules, first, more, "dial_read", say)


def _leaks(laid: pd.DataFrame, intervals: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    """Meters through which water ran without a stop; the longest time that a file tells of for each.

    Where the file gives no unit of the flow, nothing is said of the money.
    """
    if intervals.empty:
        return together([])
    known = laid.loc[laid["due"] & laid["meter_id"].isin(intervals["meter_id"])].drop_duplicates("meter_id")
    longest = intervals.sort_values("running_hours", kind="stable").drop_duplicates("meter_id", keep="last")
    rows = known.merge(longest.rename(columns={"unit": "flow_unit"}), on="meter_id")
    told = rows["flow_unit"].ne("").to_numpy(dtype=bool)
    hourly = np.zeros(len(rows), dtype=np.int64)
    hourly[told] = bench.billing.of(rows["least"].to_numpy(dtype=np.int64)[told], rows["flow_unit"].to_numpy()[told])
    lost = hourly * rows["running_hours"].to_numpy(dtype=np.int64) * bench.cents_a_unit
    rows = rows.assign(finding_key=rows["meter_id"], at_risk=cents(lost))
    hours = bench.rules.thresholds("leak", rows)
    running = rows["running_hours"].to_numpy(dtype=np.int64) >= hours

    def say(r: Any) -> str:
        never = f"water ran for {r.running_hours} hours without a stop, never less than {_flow(r.least)} {r.flow_unit or '(no unit given)'}"
        return f"{never} an hour ({r.first_hour} to {r.last_hour}, {r.hours} hours)"

    return find("leak", bench.rules, rows, running, "dial_read", say)


def _flow(value: int) -> str:
    return f"{value / MILLION:,.6f}".rstrip("0").rstrip(".")


def _words(said: str) -> Any:
    return lambda _: said


def _all(covered: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(covered, ignore_index=True) if covered else pd.DataFrame(columns=COVERS)
