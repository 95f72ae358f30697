"""Conversion: an office taken in from its old system."""
