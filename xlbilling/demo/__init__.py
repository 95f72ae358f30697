"""A sample district, wholly invented: its tables, the files it gets, and what its clerk decides."""

from typing import Final

FEWEST: Final = 200  # accounts; a smaller district has no room for every kind of trouble
