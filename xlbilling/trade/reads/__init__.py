"""Reads: from dials to the consumption that is billed, with every doubt put to the office as a finding."""

from xlbilling.trade.reads.checks import CHECKS
from xlbilling.trade.reads.measure import BillingUnit, Window
from xlbilling.trade.reads.rules import Rules
from xlbilling.trade.reads.settle import Settled, settle

__all__ = ["CHECKS", "BillingUnit", "Rules", "Settled", "Window", "settle"]
