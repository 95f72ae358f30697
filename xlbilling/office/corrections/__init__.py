"""Corrections: adjustments, reversals, and bills made anew; posted documents stay, new ones correct them."""
