"""Re-read files: the meters to be read again in the layout their reads come in, so that the crew's own system loads them.

Each file has the layout's own headings or record positions with read, date and time left blank; filled in, it is a read
file like any other. What a layout has no place for, or what the office does not know (radio numbers, sequence), stays
blank; ids are never cut. A meter that does not fit its layout goes into the plain CSV.
Positions: 1-based, both ends included, as the layouts' descriptions have them.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, TypeAlias

import pandas as pd

Row: TypeAlias = Any  # a row of the frame by itertuples
Field: TypeAlias = tuple[int, int, str]  # first and last position, text
END: Final = "\r\n"
PLAIN: Final = "generic"

BEACON: Final = (
    "Account_ID", "Location_ID", "Service_Point_ID", "Meter_ID", "Register_Number", "Endpoint_SN", "Read_Method", "Read",
    "Read_Unit", "Billing_Read", "Read_Time",
)  # fmt: skip
BEACON_UNITS: Final = {"CF": "CUBIC_FEET", "M3": "CUBIC_METER"}
ACLARA: Final = (
    "AccountNumber", "MeterSN", "MTUID", "Port", "AccountType", "Address1", "City", "State", "Zip", "RawRead", "ScaledRead",
    "ReadingTime", "LocalTime", "Active", "Scalar", "MeterTypeID", "Vendor", "Model", "Description", "ReadInterval",
)  # fmt: skip
GENERIC: Final = (
    "Route", "Premise", "Account", "Meter", "Register", "Unit", "Last Read", "Expected From", "Expected To", "Read Date",
    "Read Time", "Read",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RereadFile:
    """One file for a reading system: what goes on the end of its name, its bytes, and what there is to say of it."""

    layout: str
    ending: str
    content: bytes
    registers: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a whole file says besides its rows."""

    district: str
    day: dt.date


def reread_files(rows: pd.DataFrame, sheet: Sheet) -> list[RereadFile]:
    """One file a layout, the plain CSV last; every row of `rows` is in exactly one of them, in the order given.

    `rows`: layout (the format its reads came in), route, premise, name, account_id, meter_id, register_id, unit,
    previous_read, expected_from, expected_to (text, blank where not known), dials (whole, 0 where not known).
    """
    outgoing = rows["layout"].map(lambda layout: _GOES_OUT_AS.get(layout, PLAIN))
    made: list[RereadFile] = []
    plain, notes = rows.loc[outgoing.eq(PLAIN)], []
    for layout in dict.fromkeys(outgoing):
        if layout == PLAIN:
            continue
        wanted = rows.loc[outgoing.eq(layout)]
        fits = _whole_meters(wanted, [_FITS[layout](row) for row in wanted.itertuples()], layout)
        if not all(fits):
            left_out = wanted.loc[[not fit for fit in fits]]
            plain = pd.concat([plain, left_out])
            notes.append(
                f"{len(left_out)} that {layout} has no room for: {', '.join(left_out['meter_id'].unique()[:5])}"
            )
        if any(fits):
            made.append(_file(layout, wanted.loc[fits], sheet, _told(rows.loc[outgoing.eq(layout), "layout"], layout)))
    if len(plain):
        without = _told(plain.loc[~plain["layout"].isin(_GOES_OUT_AS), "layout"], PLAIN)
        told = "; ".join([*([without] if without else []), *notes])
        made.append(_file(PLAIN, plain.loc[[n for n in rows.index if n in set(plain.index)]], sheet, told))
    return made


def _file(layout: str, rows: pd.DataFrame, sheet: Sheet, note: str) -> RereadFile:
    write, ending, encoding = _WRITERS[layout]
    text = write(list(rows.itertuples()), sheet)
    return RereadFile(layout, ending, text.encode(encoding, "replace"), len(rows), note)


def _told(came_in: Iterable[str], layout: str) -> str:
    """What there is to say where the file is not of the very layout the reads came in."""
    others = sorted({name for name in came_in if name not in (layout, "")})
    return "".join(f"{name} has no file that goes out, so it is {layout}" for name in others[:1])


def _whole_meters(rows: pd.DataFrame, fits: list[bool], layout: str) -> list[bool]:
    """The same, with all registers of a meter together; Neptune tells registers by their order alone."""
    made = pd.Series(fits, index=rows.index)
    if layout == "neptune":
        order = rows.groupby("meter_id").cumcount().add(1).astype("str")
        made &= rows["register_id"].eq(order)
    return made.groupby(rows["meter_id"]).transform("all").astype(bool).tolist()


# ---------------------------------------------------------------------------------------------------- tables with a header


def _csv(header: tuple[str, ...], rows: Iterable[dict[str, str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=END)
    writer.writerow(header)
    writer.writerows([_no_formula(row.get(name, "")) for name in header] for row in rows)
    return out.getvalue()


def _no_formula(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _beacon(rows: list[Row], _: Sheet) -> str:
    return _csv(
        BEACON,
        (
            {
                "Account_ID": _within(r.account_id, 32),
                "Meter_ID": r.meter_id,
                "Register_Number": r.register_id,
                "Read_Unit": BEACON_UNITS.get(r.unit, r.unit),
            }
            for r in rows
        ),
    )


def _aclara(rows: list[Row], _: Sheet) -> str:
    return _csv(
        ACLARA,
        (
            {"AccountNumber": r.account_id, "MeterSN": r.meter_id, "Port": r.register_id, "Address1": r.premise}
            for r in rows
        ),
    )


def _generic(rows: list[Row], _: Sheet) -> str:
    fields = (
        "route", "premise", "account_id", "meter_id", "register_id", "unit", "previous_read", "expected_from", "expected_to",
    )  # fmt: skip
    return _csv(GENERIC, (dict(zip(GENERIC, (getattr(r, name) for name in fields), strict=False)) for r in rows))


# ---------------------------------------------------------------------------------------------------- fixed width


def _record(width: int, *fields: Field) -> str:
    """A line of exactly `width` characters with each text at its positions; ValueError where one does not fit."""
    line = [" "] * width
    for first, last, text in fields:
        if len(text) > last - first + 1:
            raise ValueError(f"{text!r} does not fit positions {first} to {last}")
        line[first - 1 : first - 1 + len(text)] = [c if c.isprintable() else " " for c in text]
    return "".join(line)


def _within(text: str, width: int) -> str:
    """An id where it has room, blank where it has not: a number that is cut is another number."""
    return text if len(text) <= width else ""


def _digits(text: str, width: int) -> str:
    """A whole number filled with zeros; blank where it is none or has no room."""
    return text.zfill(width) if text.isascii() and text.isdecimal() and len(text) <= width else ""


def _radix(rows: list[Row], _: Sheet) -> str:
    lines = (
        _record(36, (4, 6, _digits(r.route, 3)), (7, 12, _exactly(r.account_id, 6)), (27, 36, r.meter_id)) for r in rows
    )
    return "".join(line + END for line in lines)


def _exactly(text: str, width: int) -> str:
    return text if len(text) == width and text.isascii() and text.isdecimal() else ""


def _autoread(rows: list[Row], _: Sheet) -> str:
    lines = (
        _record(
            155,
            (1, 20, r.premise[:20]), (21, 28, r.meter_id), (29, 43, _within(r.account_id, 15)),
            (44, 58, f"register {r.register_id}"[:15] if r.register_id else ""), (59, 78, r.premise[:20]), (79, 103, r.name[:25]),
            (104, 104, "W"), (105, 114, _digits(r.previous_read, 10)), (115, 124, _digits(r.expected_from, 10)),
            (125, 134, _digits(r.expected_to, 10)),
        )
        for r in rows
    )  # fmt: skip
    return "".join(line + END for line in lines)


def _neptune(rows: list[Row], sheet: Sheet) -> str:
    """Company, then for each route its premises, their meters and a blank reading for each register."""
    lines = [_record(58, (1, 5, "COMHD"), (10, 17, f"{sheet.day:%Y%m%d}"), (18, 57, sheet.district[:40]))]
    for _, on_route in groupby(rows, key=lambda r: r.route):
        lines.append(_record(119, (1, 5, "RTEHD")))
        for (account, _), at_premise in groupby(on_route, key=lambda r: (r.account_id, r.premise)):
            lines.append(_record(123, (1, 5, "PRMDT"), (104, 123, _within(account, 20))))
            for meter, registers in groupby(at_premise, key=lambda r: r.meter_id):
                lines.append(_record(57, (1, 5, "MTRDT"), (38, 57, meter)))
                lines += [_record(98, (1, 5, "RDGDT"), (50, 51, _dials(r))) for r in registers]
    return "".join(line + END for line in lines)


def _dials(row: Row) -> str:
    return f"{row.dials:02d}" if 0 < row.dials < 100 else ""


def _itron(rows: list[Row], _: Sheet) -> str:
    """Header, each route's customers, meters and blank readings, and trailers that count them."""
    made = [_record(126, (1, 28, "FHD    " + "0" * 21)), _record(126, (1, 5, "CHD01"))]
    counts = [0, 0, 0, 0]
    for route, on_route in groupby(rows, key=lambda r: r.route):
        number = _digits(route, 8) or _within(route, 8)
        made.append(_record(126, (1, 3, "RHD"), (4, 11, number)))
        counts[0] += 1
        for (account, _), at_premise in groupby(on_route, key=lambda r: (r.account_id, r.premise)):
            meters = [(meter, list(registers)) for meter, registers in groupby(at_premise, key=lambda r: r.meter_id)]
            first = meters[0][1][0]
            made.append(
                _record(
                    126, (1, 3, "CUS"), (4, 11, number), (12, 14, f"{len(meters):03d}"), (15, 34, _within(account, 20)),
                    (35, 54, first.name[:20]), (55, 94, first.premise[:40]),
                )
            )  # fmt: skip
            counts[1] += 1
            for meter, registers in meters:
                place = (4, 11, number)
                made.append(_record(126, (1, 3, "MTR"), place, (12, 14, f"{len(registers):03d}"), (46, 57, meter)))
                made += [
                    _record(126, (1, 3, "RDG"), place, (23, 25, r.register_id), (90, 91, _dials(r))) for r in registers
                ]
                counts[2] += 1
                counts[3] += len(registers)
        made.append(_record(126, (1, 3, "RTR"), (4, 11, number)))
    made.append(_record(126, (1, 5, "CTR01")))
    routes, customers, meters_in, reads = counts
    made.append(_record(126, (1, 3, "FTR"), (8, 28, f"{routes:03d}{customers:06d}{meters_in:06d}{reads:06d}")))
    return "".join(line + END for line in made)


# ---------------------------------------------------------------------------------------------------- which is which


def _fixed(meter: int, register: int) -> Callable[[Row], bool]:
    """Whether a meter's ids have room, and are of characters that every handheld has."""

    def fits(row: Row) -> bool:
        return (
            0 < len(row.meter_id) <= meter
            and len(row.register_id) <= register
            and row.meter_id.isascii()
            and row.meter_id.isprintable()
        )

    return fits


def _no_formula_id(fits: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return lambda row: fits(row) and row.meter_id == _no_formula(row.meter_id)


_ANY: Final = 10**6
_WRITERS: Final[dict[str, tuple[Callable[[list[Row], Sheet], str], str, str]]] = {
    "beacon": (_beacon, "beacon.csv", "utf-8"),
    "aclara": (_aclara, "aclara.csv", "utf-8"),
    "radix": (_radix, "radix.txt", "cp1252"),
    "neptune": (_neptune, "neptune.imp", "cp1252"),
    "itron-mvrs": (_itron, "itron-mvrs.dat", "cp1252"),
    "sensus-autoread": (_autoread, "sensus-autoread.txt", "cp1252"),
    PLAIN: (_generic, "generic.csv", "utf-8"),
}
_FITS: Final[dict[str, Callable[[Row], bool]]] = {
    "beacon": _no_formula_id(_fixed(24, 1)),
    "aclara": _no_formula_id(_fixed(_ANY, _ANY)),
    "radix": _fixed(10, 0),
    "neptune": _fixed(20, _ANY),
    "itron-mvrs": _fixed(12, 3),
    "sensus-autoread": _fixed(8, _ANY),
}
# The layout a file goes out in, by the layout the reads came in; any other goes out as the plain CSV.
_GOES_OUT_AS: Final = {**{name: name for name in _FITS}, "sensus-k3": "sensus-autoread", "beacon-hourly": "beacon"}
