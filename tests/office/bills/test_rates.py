"""Check rates: what the button finds on sheet Rates, saved or not, where it marks it, and that it changes nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office


def test_rates_in_order_have_nothing_marked(desk_office: Office) -> None:
    outcome = desk_office.lead.press("check_rates")
    assert (outcome.problems, outcome.listed) == ([], False)
    assert outcome.said == "9 lines of 3 rate schedules and classes checked: nothing found."


def test_what_looks_wrong_is_marked_before_it_is_saved(desk_office: Office) -> None:
    # Tier 2 of Water typed as last unit 10 instead of first unit 11, and a 1" service charge below the 5/8" one.
    lead = desk_office.lead
    key = lead.sheet("rates").query("tier == 2").index[0]
    large = lead.sheet("rates").query("""keys == 'meter_size=1"' and customer_class == 'RESIDENTIAL_SINGLE'""").index[0]
    lead.set("rates", key, from_unit="10")
    lead.set("rates", large, rate="19.99")
    outcome = lead.press("check_rates")
    assert [problem.code for problem in outcome.problems] == ["rates_falls_with_size", "rates_last_unit"]
    assert outcome.listed
    assert "0 cannot be priced, 2 look wrong" in outcome.said
    assert len(lead.marked) == 2
    assert all("Rates!" in words for words in lead.marked)


def test_a_line_that_cannot_be_used_is_marked_with_the_others(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("rates", lead.sheet("rates").query("kind == 'percentage'").index[0], kind="percent")
    outcome = lead.press("check_rates")
    assert next((problem.code, problem.severity) for problem in outcome.problems) == ("rate_row", "block")
    assert "there is no kind 'percent'" in outcome.said


def test_a_cell_with_no_price_in_it_is_marked_and_the_rest_is_checked(desk_office: Office) -> None:
    lead = desk_office.lead
    key = lead.sheet("rates").query("kind == 'flat'").index[0]
    lead.raw("rates", key, "rate", "three")
    assert "cell_number" in {problem.code for problem in lead.press("check_rates").problems}


@pytest.mark.stage("imported")
def test_a_day_without_a_price_of_one_charge_and_a_tier_left_out_hold_their_bills(desk_office: Office) -> None:
    """Water of COMMERCIAL starts again a day late, that of RESIDENTIAL_SINGLE goes on without its second tier."""
    lead = desk_office.lead

    def typing(rows: pd.DataFrame) -> pd.DataFrame:
        day = pd.Timestamp("2026-10-20")
        new = rows.loc[rows["kind"].eq("flat") | rows["tier"].eq(1)].assign(
            rate_id=["N1", "N2"], effective_from=day, rev=pd.NA
        )
        ends = rows["effective_to"].mask(rows["kind"].eq("flat"), pd.Timestamp("2026-10-18"))
        return pd.concat([rows.assign(effective_to=ends), new], ignore_index=True)

    lead.type("rates", typing)
    outcome = lead.press("check_rates")
    assert [(each.code, each.severity) for each in outcome.problems] == [
        ("rates_tier_gone", "block"),
        ("rates_gap", "block"),
    ]
    lead.press("save")
    lead.press("compute")
    held = desk_office.table("draft_services", "state = 'held'").set_index("service_id")["why"].to_dict()
    assert sorted(held) == ["S01", "S02", "S03", "S04", "S05", "S07"]
    assert "Water of WATER COMMERCIAL has no price on 2026-10-19" in held["S04"]
    assert "the version of 2026-10-20 has no tier 2" in held["S01"]
    assert "Enter the missing lines" in held["S01"]


def test_nothing_is_changed_and_anybody_may_look(desk_office: Office) -> None:
    before = desk_office.table("rates")
    events = desk_office.value("SELECT COUNT(*) FROM events")
    desk_office.clerk("cora").press("check_rates")
    pd.testing.assert_frame_equal(desk_office.table("rates"), before)
    assert desk_office.value("SELECT COUNT(*) FROM events") == events
