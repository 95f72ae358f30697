"""The print file: a bill written out by hand, any bills against a slow writer, and what is refused."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.papers.print_file import print_file as print_bills
from xlbilling.papers.print_file import quantity_text
from xlbilling.words.problems import Refusal


def bill(number: str = "B0000001", **changed: object) -> dict[str, object]:
    """A bill of 40.11: 31.50 fixed and 3 x 2.87 = 8.61 of water; 20.00 owed before, 15.00 paid: 45.11 due."""
    return {
        "number": number,
        "kind": "bill",
        "account_id": "00000102",
        "name": 'Ann "Annie" Lee, Trustee',
        "mail_street": "12 Oak St",
        "mail_city": "Alder Creek, CA 95999",
        "bill_date": "2026-11-05",
        "due_date": "2026-12-01",
        "service_id": "S1",
        "service_type": "water",
        "premise": "14 Oak St",
        "previous_read": "000997",
        "previous_date": "2026-09-01",
        "this_read": "001000",
        "this_date": "2026-11-01",
        "estimated": False,
        "estimate": "",
        "settles": 0,
        "days": 61,
        "consumption": 3_000_000,
        "unit": "CCF",
        "amount": changed.get("total_charges", 40_11),
        "total_charges": 40_11,
        "previous_balance": 20_00,
        "payments_since": 15_00,
        "amount_due": 45_11,
        "messages": "",
        **changed,
    }


def bills(*rows: dict[str, object]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows or [bill()]))
    return frame.astype(dict.fromkeys(("bill_date", "due_date", "previous_date", "this_date"), "datetime64[s]"))


def print_file(bills: pd.DataFrame, lines: pd.DataFrame, history: pd.DataFrame) -> bytes:
    """Bills of one service each: the rows hold what the document says and what its section does."""
    return print_bills(bills, bills, lines, history)


def lines(*rows: tuple[str, int, str, int, str, int]) -> pd.DataFrame:
    given_rows = rows or (
        ("B0000001", 2, "Tier 1", 3_000_000, "2.87", 8_61),
        ("B0000001", 1, "Service charge", 1_000_000, "31.50", 31_50),
    )
    return pd.DataFrame(list(given_rows), columns=["number", "line", "charge", "quantity", "rate", "amount"]).assign(
        service_id="S1"
    )


def history(*rows: tuple[str, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["number", "month", "consumption"])
    return frame.astype({"consumption": "int64"}).assign(service_id="S1")


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


def test_one_bill_to_the_letter():
    past = history(("B0000001", "2025-11", 4_500_000), ("B0000001", "2026-11", 3_000_000), ("B0000001", "2025-10", 9))
    data = print_file(bills(), lines(), past)
    months = ["2025-11", "2025-12", *(f"2026-{month:02d}" for month in range(1, 12))]
    shown = ["4.5", *[""] * 11, "3"]  # thirteen months; 2025-10 is the fourteenth and is left out
    head = (
        "bill_number,kind,account,name,mail_street,mail_city,bill_date,due_date,total_charges,previous_balance,payments_since,"
        "amount_due,messages,"
        + ",".join(f"history_month_{n}" for n in range(1, 14))
        + ",service_1_id,service_1_type,service_1_premise,service_1_previous_read,service_1_previous_read_date,"
        "service_1_this_read,service_1_this_read_date,service_1_estimated,service_1_how_estimated,"
        "service_1_settles_estimated_bills,service_1_days,service_1_consumption,service_1_unit,service_1_amount,"
        + ",".join(f"service_1_history_{n}" for n in range(1, 14))
        + ",charge_1,charge_1_service,quantity_1,rate_1,amount_1,charge_2,charge_2_service,quantity_2,rate_2,amount_2\r\n"
    )
    row = (
        'B0000001,bill,00000102,"Ann ""Annie"" Lee, Trustee",12 Oak St,"Alder Creek, CA 95999",2026-11-05,2026-12-01,'
        "40.11,20.00,15.00,45.11,,"
        + ",".join(months)
        + ",S1,water,14 Oak St,000997,2026-09-01,001000,2026-11-01,no,,,61,3,CCF,40.11,"
        + ",".join(shown)
        + ",Service charge,S1,1,31.50,31.50,Tier 1,S1,3,2.87,8.61\r\n"
    )
    assert data == (head + row).encode()


def test_the_longest_bill_gives_the_number_of_charge_columns():
    short = bill("B2", total_charges=5_00, previous_balance=0, payments_since=0, amount_due=5_00)
    rows = read(
        print_file(
            bills(bill(), short),
            lines(
                ("B0000001", 1, "Service charge", 1_000_000, "31.50", 31_50),
                ("B2", 1, "Fire line", 1_000_000, "5", 5_00),
                ("B0000001", 2, "Tier 1", 3_000_000, "2.87", 8_61),
            ),
            history(),
        )
    )
    assert [row["charge_1"] for row in rows] == ["Service charge", "Fire line"]
    assert [row["charge_2"] for row in rows] == ["Tier 1", ""]
    assert [row["amount_2"] for row in rows] == ["8.61", ""]
    assert "charge_3" not in rows[0]


def test_the_services_of_a_bill_stand_side_by_side_each_with_its_own_history():
    """31.50 + 8.61 = 40.11 of water and 5.00 of a fire line: 45.11; the charge of the fire line names it."""
    both = bills(bill(), bill(service_id="F1", service_type="fire", consumption=0, amount=5_00))
    document = bills(bill(total_charges=45_11, previous_balance=0, payments_since=0, amount_due=45_11))
    fire = lines(("B0000001", 3, "Fire line", 0, "5", 5_00)).assign(service_id="F1")
    past = history(("B0000001", "2026-11", 3_000_000))
    (row,) = read(print_bills(document, both, pd.concat([fire, lines()]), past))
    assert [row[f"service_{n}_id"] for n in (1, 2)] == ["S1", "F1"]
    assert [row[f"service_{n}_amount"] for n in (1, 2)] == ["40.11", "5.00"]
    assert [row[f"service_{n}_history_13"] for n in (1, 2)] == ["3", ""]
    assert [row[f"charge_{n}_service"] for n in (1, 2, 3)] == ["S1", "S1", "F1"]
    assert row["total_charges"] == "45.11"
    with pytest.raises(Refusal, match="B0000001: The bill has no service F1"):
        print_bills(document, bills(), pd.concat([fire, lines()]), past)


def test_letters_beyond_ascii_no_byte_order_mark_and_the_same_bytes_twice():
    frame = bills(bill(name="Zoë Núñez", estimated=True, previous_date=None, messages="Line 1\nLine 2"))
    data = print_file(frame, lines(), history())
    assert not data.startswith(b"\xef\xbb\xbf")
    (row,) = read(data)
    assert (row["name"], row["service_1_estimated"], row["service_1_previous_read_date"]) == ("Zoë Núñez", "yes", "")
    assert row["messages"] == "Line 1\nLine 2"
    assert print_file(frame, lines(), history()) == data


def test_an_estimated_bill_says_how_and_the_next_one_what_it_settles():
    said = {"estimated": True, "estimate": "as much as last year, 11 CCF in 61 days"}
    frame = bills(bill(**said), bill("B2", settles=2))
    charge = ("B2", 1, "All", 1_000_000, "40.11", 40_11)
    own = [("B0000001", 1, "All", 1_000_000, "40.11", 40_11), charge]
    first, second = read(print_file(frame, lines(*own), history()))
    told = [f"service_1_{name}" for name in ("estimated", "how_estimated", "settles_estimated_bills")]
    assert [first[name] for name in told] == ["yes", "as much as last year, 11 CCF in 61 days", ""]
    assert [second[name] for name in told] == ["no", "", "2"]


def test_a_credit_has_its_minus_sign():
    frame = bills(bill(previous_balance=-5_50, payments_since=0, amount_due=34_61))
    (row,) = read(print_file(frame, lines(), history()))
    assert (row["previous_balance"], row["amount_due"]) == ("-5.50", "34.61")


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        ({"total_charges": 40_12, "amount_due": 45_12}, "The charges of a service add to 40.11 and it says 40.12"),
        (
            {"total_charges": 40_12, "amount_due": 45_12, "amount": 40_11},
            "The services add to 40.11 and the total says 40.12",
        ),
        ({"amount_due": 45_10}, "make 45.11 and the amount due says 45.10"),
        ({"payments_since": -15_00}, "make 75.11 and the amount due says 45.11"),
    ],
)
def test_a_bill_that_does_not_foot_is_refused(changed: dict[str, object], fact: str):
    with pytest.raises(Refusal, match=fact) as refused:
        print_file(bills(bill(**changed)), lines(), history())
    assert refused.value.problem.code == "print_foots"
    assert refused.value.problem.place.key == "B0000001"


@pytest.mark.parametrize(
    ("frames", "fact"),
    [
        ((bills(bill(), bill()), lines(), history()), "twice"),
        ((bills(bill(), bill("B2")), lines(), history()), "B2: The bill has no charges"),
        ((bills(bill("B2")), lines(), history()), "B0000001: The bill is not in the batch"),
        ((bills(), lines(), history(("B9", "2026-10", 1))), "B9: The bill has no service S1"),
    ],
)
def test_bills_charges_and_history_must_fit_together(frames: tuple[pd.DataFrame, ...], fact: str):
    with pytest.raises(Refusal, match=fact) as refused:
        print_file(*frames)
    assert refused.value.problem.code == "print_bill"


@pytest.mark.parametrize(
    ("millionths", "text"), [(0, "0"), (12_500_000, "12.5"), (100_000_000, "100"), (1, "0.000001"), (-250_000, "-0.25")]
)
def test_quantities_without_needless_zeros(millionths: int, text: str):
    assert quantity_text(millionths) == text


LINE = st.tuples(st.integers(-(10**7), 10**7), st.integers(-(10**9), 10**9))


@given(st.lists(st.lists(LINE, min_size=1, max_size=5), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_batch_reads_back_line_for_line(batch: list[list[tuple[int, int]]], random: object):
    """A slow reading of the file gives back each bill's lines in order and what is due, whatever the order given."""
    rows, given_lines = [], []
    for place, charged in enumerate(batch):
        total = sum(amount for amount, _ in charged)
        number = f"B{place:03d}"
        rows.append(bill(number, total_charges=total, amount_due=20_00 - 15_00 + total))
        given_lines += [(number, n, f"c{n}", quantity, "1.5", amount) for n, (amount, quantity) in enumerate(charged)]
    random.shuffle(given_lines)  # type: ignore[attr-defined]
    read_rows = read(print_file(bills(*rows), lines(*given_lines), history()))
    for row, charged in zip(read_rows, batch, strict=True):
        for place in range(max(len(one) for one in batch)):
            amount, quantity = row[f"amount_{place + 1}"], row[f"quantity_{place + 1}"]
            if place < len(charged):
                assert np.isclose(float(amount) * 100, charged[place][0], rtol=0, atol=1e-4)
                assert round(float(quantity) * 10**6) == charged[place][1]
                assert row[f"charge_{place + 1}"] == f"c{place}"
            else:
                assert (amount, quantity) == ("", "")
