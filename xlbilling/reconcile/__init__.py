"""Reconcile: the billing subledger against the general ledger, line by line and by control account."""

from xlbilling.reconcile.terms import Terms

__all__ = ["Terms"]
