"""Accounts, their services and meters."""
