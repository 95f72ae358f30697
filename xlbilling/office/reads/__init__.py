"""Reads: files taken in, rejected rows, findings and decisions, re-reads."""
