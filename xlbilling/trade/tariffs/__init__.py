"""Rate schedules: declared once in the Rates table, priced exactly, explained, and written as Excel formulas."""

from xlbilling.trade.tariffs.book import inputs_of, rate_book
from xlbilling.trade.tariffs.columns import KINDS, RATE_COLUMNS
from xlbilling.trade.tariffs.price import Priced, price
from xlbilling.trade.tariffs.schedule import RateBook, Schedule

__all__ = ["KINDS", "RATE_COLUMNS", "Priced", "RateBook", "Schedule", "inputs_of", "price", "rate_book"]
