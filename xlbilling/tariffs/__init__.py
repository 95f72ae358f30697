"""Rate schedules: declared once in the Rates table, priced exactly, explained, and written as Excel formulas."""

from xlbilling.tariffs.book import inputs_of, rate_book
from xlbilling.tariffs.columns import KINDS, RATE_COLUMNS
from xlbilling.tariffs.price import Priced, price
from xlbilling.tariffs.schedule import RateBook, Schedule

__all__ = ["KINDS", "RATE_COLUMNS", "Priced", "RateBook", "Schedule", "inputs_of", "price", "rate_book"]
