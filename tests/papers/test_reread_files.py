"""Re-read files: each line is what the layout says, each meter comes back, and filled in the file is a read file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.reads import parse_reads
from xlbilling.papers.reread_files import RereadFile, Sheet, reread_files

SHEET = Sheet("Twelve Oaks Water District", dt.date(2026, 11, 23))
FIXED = {"radix": 36, "itron-mvrs": 126, "sensus-autoread": 155}
ROW = {
    "route": "01", "premise": "12 ALDER CT", "name": "A SAMPLE", "account_id": "100402", "meter_id": "71000091",
    "register_id": "", "unit": "CCF", "dials": 6, "previous_read": "048213", "expected_from": "048220", "expected_to": "048240",
}  # fmt: skip


def rows(layout: str, *each: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([ROW | {"layout": layout} | one for one in each])


def written(frame: pd.DataFrame) -> dict[str, RereadFile]:
    return {file.layout: file for file in reread_files(frame, SHEET)}


def lines(file: RereadFile) -> list[str]:
    text = file.content.decode()
    assert text.endswith("\r\n")
    return text.split("\r\n")[:-1]


def parsed(path: Path, content: bytes, **more: int):
    path.write_bytes(content)
    return parse_reads(path, in_child=False, **more)


# What the registers of a layout are called in its own files.
TWO: dict[str, list[dict[str, object]]] = {
    "beacon": [{"meter_id": "M2", "register_id": "L"}, {"meter_id": "M2", "register_id": "H"}],
    "aclara": [{"meter_id": "M2", "register_id": "1"}, {"meter_id": "M2", "register_id": "2"}],
    "radix": [{"meter_id": "M2"}, {"meter_id": "M3"}],
    "neptune": [{"meter_id": "M2", "register_id": "1"}, {"meter_id": "M2", "register_id": "2"}],
    "itron-mvrs": [{"meter_id": "M2", "register_id": "001"}, {"meter_id": "M2", "register_id": "002"}],
    "generic": [{"meter_id": "M2", "register_id": "L"}, {"meter_id": "M2", "register_id": "H"}],
}
FIRST = {"aclara": "1", "neptune": "1", "itron-mvrs": "001"}


def three(layout: str) -> pd.DataFrame:
    """A simple meter, and on the next route one with two registers (two meters where the layout knows no registers)."""
    two = [one | {"route": "02", "account_id": "100403", "premise": "9 Elm St"} for one in TWO[layout]]
    return rows(layout, {"register_id": FIRST.get(layout, "")}, *two)


BLANK_IS_A_NO_READ = [layout for layout in TWO if layout != "aclara"]


@pytest.mark.parametrize("layout", BLANK_IS_A_NO_READ)
def test_every_meter_comes_back_as_not_read(layout: str, tmp_path: Path) -> None:
    frame = three(layout)
    file = written(frame)[layout]
    assert (file.registers, file.note) == (3, "")
    back = parsed(tmp_path / file.ending, file.content)
    assert back.format == layout
    assert back.rejects.empty, back.rejects.to_dict("records")
    assert back.reads["read_code"].tolist() == ["no_read"] * 3
    for name in ("meter_id", "register_id", "account_id"):
        assert back.reads[name].tolist() == frame[name].tolist(), name
    assert set(back.reads["read_value"]) == {""}
    assert set(back.reads["read_date"]) == {""}


def test_aclara_lists_what_nobody_filled_in(tmp_path: Path) -> None:
    """Its rows are readings at a time; without one a row is listed, so that nothing takes a blank for a no-read."""
    file = written(three("aclara"))["aclara"]
    back = parsed(tmp_path / file.ending, file.content)
    assert (back.format, back.rejects["code"].tolist()) == ("aclara", ["bad_date"] * 3)


# How a crew's system fills in the third register: read 048231 on 2026-11-24.
def _last_line(file: RereadFile, at: tuple[int, str], *more: tuple[int, str]) -> list[str]:
    made = lines(file)
    for first, text in (at, *more):
        made[-1] = made[-1][: first - 1] + text + made[-1][first - 1 + len(text) :]
    return made


def _fill_csv(**cells: str) -> Callable[[RereadFile], list[str]]:
    def fill(file: RereadFile) -> list[str]:
        made = lines(file)
        named = dict(zip(made[0].split(","), made[-1].split(","), strict=True)) | cells
        return [*made[:-1], ",".join(named.values())]

    return fill


def _fill_neptune(file: RereadFile) -> list[str]:
    made = _last_line(file, (89, "0000048231"))
    route = [n for n, line in enumerate(made) if line.startswith("RTEHD")][-1]
    made[route] = made[route][:23] + "20261124" + made[route][31:]
    return made


def _fill_itron(file: RereadFile) -> list[str]:
    made = lines(file)
    at = [n for n, line in enumerate(made) if line.startswith("RDG")][-1]
    made[at] = made[at][:33] + "0000048231" + made[at][43:47] + "11242026" + made[at][55:]
    return made


FILLED: dict[str, Callable[[RereadFile], list[str]]] = {
    "beacon": _fill_csv(Read="048231", Read_Time="2026-11-24 10:00"),
    "aclara": _fill_csv(
        RawRead="048231",
        ScaledRead="048231",
        ReadingTime="2026-11-24 18:00:00.000",
        LocalTime="2026-11-24 10:00:00.000",
    ),
    "radix": lambda file: _last_line(file, (14, "048231"), (21, "112426")),
    "neptune": _fill_neptune,
    "itron-mvrs": _fill_itron,
    "generic": _fill_csv(**{"Read": "048231", "Read Date": "2026-11-24"}),
}


@pytest.mark.parametrize("layout", FILLED)
def test_filled_in_the_file_is_a_read_file(layout: str, tmp_path: Path) -> None:
    frame = three(layout)
    file = written(frame)[layout]
    back = parsed(tmp_path / file.ending, ("\n".join(FILLED[layout](file)) + "\n").encode())
    assert back.format == layout
    listed, blank = (["bad_date"] * 2, []) if layout == "aclara" else ([], ["no_read"] * 2)
    assert back.rejects["code"].tolist() == listed
    assert back.reads["read_code"].tolist() == [*blank, "actual"]
    last = back.reads.iloc[-1]
    assert last["dial_read"].lstrip("0") == "48231"
    assert (last["meter_id"], last["register_id"]) == tuple(frame.iloc[-1][["meter_id", "register_id"]])
    assert last["read_date"] == "2026-11-24"


@pytest.mark.parametrize("layout", ["sensus-k3", "sensus-autoread"])
def test_sensus_is_the_route_that_goes_out_and_is_refused_as_reads(layout: str, tmp_path: Path) -> None:
    file = written(rows(layout, {}, {"meter_id": "71000092", "register_id": "0001"}))["sensus-autoread"]
    assert file.note == (
        "sensus-k3 has no file that goes out, so it is sensus-autoread" if layout == "sensus-k3" else ""
    )
    first, second = lines(file)
    assert first == (
        "12 ALDER CT         71000091100402" + " " * 24 + "12 ALDER CT         A SAMPLE" + " " * 17
        + "W000004821300000482200000048240" + " " * 21
    )  # fmt: skip
    assert second[43:58] == "register 0001  "
    back = parsed(tmp_path / "route.txt", file.content)
    assert (back.format, len(back.reads)) == ("sensus-autoread", 0)
    assert back.rejects["code"].tolist() == ["no_read", "no_read"]


def test_itrons_trailer_counts_what_is_there() -> None:
    frame = pd.concat(
        [three("itron-mvrs"), rows("itron-mvrs", {"route": "02", "meter_id": "M4", "register_id": "001"})]
    )
    file = written(frame.reset_index(drop=True))["itron-mvrs"]
    trailer = lines(file)[-1]
    # 2 routes, 3 customers (the two at 12 ALDER CT stand on two routes), 3 meters, 4 reads
    assert trailer.rstrip() == "FTR    002000003000003000004"
    assert [sum(line.startswith(kind) for line in lines(file)) for kind in ("RHD", "CUS", "MTR", "RDG")] == [2, 3, 3, 4]


def test_fixed_lines_have_their_length_and_names_are_cut_but_ids_never() -> None:
    long = {
        "premise": "1234 VERY LONG BOULEVARD NORTHWEST APT 5\nREAR",
        "name": "Zoë " + "X" * 60,
        "account_id": "9" * 30,
    }
    for layout, width in FIXED.items():
        file = written(rows(layout, long))[layout]
        assert {len(line) for line in file.content.decode("cp1252").split("\r\n")[:-1]} == {width}
        assert b"9999" not in file.content
    assert lines(written(rows("radix", {"account_id": "0000001", "route": "A1"}))["radix"]) == [" " * 26 + "71000091  "]


@pytest.mark.parametrize(
    ("layout", "ids"),
    [
        ("radix", {"meter_id": "12345678901"}),
        ("radix", {"register_id": "L"}),
        ("itron-mvrs", {"meter_id": "1234567890123"}),
        ("sensus-k3", {"meter_id": "B71000001"}),
        ("neptune", {"register_id": "L"}),
        ("beacon", {"register_id": "LO"}),
        ("beacon", {"meter_id": "=1+1"}),
        ("radix", {"meter_id": "Z\xe4hler"}),
    ],
)
def test_a_meter_that_does_not_fit_goes_into_the_plain_file(layout: str, ids: dict[str, str], tmp_path: Path) -> None:
    fitting = {"register_id": "1" if layout == "neptune" else ""}
    files = written(rows(layout, fitting, {"meter_id": "M2", **ids}))
    plain = files.pop("generic")
    (kept,) = files.values()
    assert (plain.registers, kept.registers) == (1, 1)
    assert "has no room for" in plain.note
    back = parsed(tmp_path / plain.ending, plain.content)
    if ids.get("meter_id") != "=1+1":
        assert back.reads["meter_id"].tolist() == [ids.get("meter_id", "M2")]
    else:
        assert b"'=1+1" in plain.content


def test_no_register_of_a_neptune_meter_goes_without_the_ones_before_it() -> None:
    files = written(rows("neptune", {"register_id": "2"}))
    assert list(files) == ["generic"]  # alone it would come back as register 1


@pytest.mark.parametrize(
    ("layout", "outgoing", "note"),
    [
        ("beacon-hourly", "beacon", "beacon-hourly has no file that goes out, so it is beacon"),
        ("cmep", "generic", "cmep has no file that goes out, so it is generic"),
        ("", "generic", ""),
    ],
)
def test_layouts_without_a_file_that_goes_out(layout: str, outgoing: str, note: str) -> None:
    (file,) = written(rows(layout, {})).values()
    assert (file.layout, file.note) == (outgoing, note)


def test_units_are_in_the_layouts_own_words(tmp_path: Path) -> None:
    frame = rows(
        "beacon",
        *({"meter_id": f"M{n}", "unit": u} for n, u in enumerate(("CF", "CCF", "GAL", "KGAL", "M3", "AF", ""))),
    )
    back = parsed(tmp_path / "b.csv", written(frame)["beacon"].content)
    assert back.reads["unit"].tolist() == ["CF", "CCF", "GAL", "KGAL", "M3", "AF", ""]


IDS = st.text("ABC019-", min_size=1, max_size=12)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*TWO, "sensus-k3", "cmep", "beacon-hourly", "recipe"]),
            IDS,
            st.sampled_from(["", "1", "L"]),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[1:],
    )
)
def test_every_register_is_in_exactly_one_file(given_rows: list[tuple[str, str, str]]) -> None:
    frame = pd.DataFrame([ROW | {"layout": a, "meter_id": m, "register_id": r} for a, m, r in given_rows])
    files = reread_files(frame, SHEET)
    assert sum(file.registers for file in files) == len(frame)
    assert len({file.ending for file in files}) == len(files)
