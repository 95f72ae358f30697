"""The store: one SQLite file or PostgreSQL database that owns everything; sheets are working copies of it."""

from xlbilling.store.store import Store, Work

__all__ = ["Store", "Work"]
