"""What the fixed-width formats share: fields by position, lines in blocks, readings gathered one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.readings import Fault, Ledger, Readings


def part(line: str, first: int, last: int) -> str:
    """The field at the positions `first` to `last` (from 1, both included), without surrounding blanks."""
    return line[first - 1 : last].strip()


def lines_of(text: Text) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    for number, lines in text.blocks():
        for offset, line in enumerate(lines):
            if line and not line.isspace():
                yield number + offset, line


@dataclass
class Gathered:
    """Readings found one after the other, handed over in blocks."""

    ledger: Ledger
    line: list[int] = field(default_factory=list)
    account: list[str] = field(default_factory=list)
    meter: list[str] = field(default_factory=list)
    register: list[str] = field(default_factory=list)
    moment: list[str] = field(default_factory=list)
    dial: list[str] = field(default_factory=list)
    value: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    fault: dict[int, Fault] = field(default_factory=dict)

    def add(
        self,
        line: int,
        meter: str,
        moment: str,
        dial: str,
        code: str,
        *,
        account: str = "",
        register: str = "",
        value: str | None = None,
        fault: Fault | None = None,
    ) -> None:
        """One reading; `value` where read_value is not taken from the dial as it stands."""
        if fault is not None:
            self.fault[len(self.line)] = fault
        self.line.append(line)
        self.account.append(account)
        self.meter.append(meter)
        self.register.append(register)
        self.moment.append(moment)
        self.dial.append(dial)
        self.value.append(dial if value is None else value)
        self.code.append(code)
        if len(self.line) >= 50_000:
            self.hand_over()

    def hand_over(self) -> None:
        """Have what was gathered checked and kept."""
        blank = [""] * len(self.line)
        self.ledger.settle(
            Readings(
                line=self.line,
                account_id=self.account,
                location_id=blank,
                meter_id=self.meter,
                register_id=self.register,
                moment=self.moment,
                dial=self.dial,
                value=self.value,
                unit=blank,
                code=self.code,
                fault=self.fault,
            )
        )
        self.line, self.account, self.meter, self.register = [], [], [], []
        self.moment, self.dial, self.value, self.code, self.fault = [], [], [], [], {}


def digits(text: str, count: int) -> bool:
    """Whether a text is exactly `count` ASCII digits."""
    return len(text) == count and text.isascii() and text.isdecimal()
