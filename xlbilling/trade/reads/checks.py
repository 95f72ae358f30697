"""Checks: what is looked for in the reads of a run, how far a thing may go, how grave it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """One read check: what it looks for, the usual threshold (or the two limits, such as 90-110) and severity."""

    name: str
    threshold: str
    severity: str
    meaning: str
    remedy: str

    @property
    def has_limits(self) -> bool:
        """Whether it asks for a lower and an upper limit."""
        return "-" in self.threshold


CHECKS: Final[dict[str, Check]] = {
    check.name: check
    for check in (
        Check("missing_read", "", "block", "A register due in this cycle has no read.", "Get the read, or decide estimate."),
        Check("missing_route", "", "block", "None of a route's registers has a read.", "Import the route's file, or decide estimate for the whole route."),
        Check("no_read", "", "block", "The reading system says it could not read the meter.", "Send for a re-read, or decide estimate."),
        Check("unknown_meter", "", "review", "The file has a meter that is on no active service.", "Correct the meter number on sheet Meters, or ask the reading crew."),
        Check("zeros_lost", "", "block", "Reads of a file are of meters without their leading zeros.", "Accept takes them as the meters' reads; tell whoever made the file to keep the column as text."),
        Check("file_shift", "80", "block", "At least this % of a file's reads fit the register of the row above or below, and few their own.", "Have the file sent again; decide accept only when its rows are right."),
        Check("duplicate_read", "", "block", "A register has two different reads in the window.", "Decide override with the right dial."),
        Check("outside_window", "", "block", "The read's day is outside the cycle's read window.", "Where the day is wrong decide override and type the right one in Override date; else correct the window on sheet Cycles, or decide accept."),
        Check("service_ended", "", "block", "The service ended, or its account was closed, before the read.", "Decide override with the dial of its last day, or estimate up to it; or correct Ended on Services, Closed on Accounts."),
        Check("days", "90-110", "review", "The days of the service period are fewer or more than these % of billing / nominal_days.", "Look at the day of the read (override with Override date puts it right) and of the last one; find the bill that was left out."),
        Check("wrong_unit", "", "block", "The read's unit is not the meter's unit.", "Correct the unit on sheet Meters, or decide override."),
        Check("too_many_dials", "", "block", "The dial has more digits than the meter.", "Correct the dials on sheet Meters, or decide override."),
        Check("too_few_dials", "", "block", "The read has fewer digits than the last one and is below it.", "Find the digit that is missing and decide override; accept takes it as a rollover."),
        Check("implied_decimals", "", "block", "The read fits what is usual once its decimal point is moved.", "Decide override with the read that fits, accept where it is right; tell the reading system's people."),
        Check("read_below_last", "", "block", "The read is below the last one and a rollover would mean too much.", "Confirm the rollover (accept), or ask for a re-read."),
        Check("reversed_meter", "25", "block", "The dial moved back by what is usually used, give or take this %.", "Look whether the meter is set backwards; accept bills what it moved back."),
        Check("overestimated", "", "block", "The read is below the last one, which was estimated too high.", "Accept bills nothing until the dial has passed the estimate; or correct the estimated bill."),
        Check("trued_up", "", "info", "The first actual read after estimated bills settles them.", "Nothing; tell the customer if the bill is large."),
        Check("rollover", "", "review", "The dial has rolled over past its last digit.", "Confirm the rollover, or ask for a re-read."),
        Check("meter_exchanged", "", "info", "A meter was taken out in the service period: it is billed to its final read, its successor from its start read.", "Compare both reads with the work order; a final read that is missing goes on sheet Meters."),
        Check("stuck", "3", "review", "The dial stands still, though at least so many earlier bills all had consumption.", "Have the meter tested."),
        Check("compound_low_still", "", "review", "The large register of a compound meter moved and the small one stood still.", "Have the small side of the meter tested."),
        Check("submeter_sum", "102", "review", "Meters behind a master meter used together more than this % of what it measured.", "Compare the reads of all of them; the master may be slowing."),
        Check("leak", "24", "review", "By its hourly flow, water ran for at least so many hours without a stop.", "Tell the customer of a leak."),
        Check("spike", "500", "block", "Consumption per day is at or above this % of what it is compared with, and the service's own course has nothing like it.", "Ask for a re-read, or accept with a reason."),
        Check("first_read_high", "10000", "block", "No history, and consumption is at or above this % of the class.", "Ask for a re-read, or accept with a reason."),
        Check("high", "200", "review", "Consumption per day is at or above this % of last year and the recent average.", "Look at the read; tell the customer about a possible leak."),
        Check("low", "50", "review", "Consumption per day is below this % of last year and the recent average.", "Look for a slowing meter or a vacant premise."),
        Check("zero", "", "info", "No consumption where there was some before.", "Look for a vacant premise or a stuck meter."),
        Check("inactive_consumption", "", "block", "An inactive service has consumption.", "Find who is using water; open an account, or decide accept to leave it."),
        Check("estimates_in_row", "2", "review", "More bills in a row than this are estimated.", "Get an actual read."),
        Check("suspect", "", "review", "The reading system marks the read as suspect.", "Look at the read."),
    )
}  # fmt: skip
