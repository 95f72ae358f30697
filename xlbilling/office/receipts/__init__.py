"""Receipts: money taken in by file or typed, what was rejected of it, and nothing of it twice."""
