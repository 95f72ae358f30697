"""Reads: dial values, the consumption between them, and what looks wrong with them."""
