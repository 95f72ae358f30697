"""Reads: from dials to the consumption that is billed, with every doubt put to the office as a finding."""

from xlbilling.reads.checks import CHECKS
from xlbilling.reads.measure import BillingUnit, Window
from xlbilling.reads.rules import Rules
from xlbilling.reads.settle import Settled, settle

__all__ = ["CHECKS", "BillingUnit", "Rules", "Settled", "Window", "settle"]
