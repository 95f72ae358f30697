"""The workbook, its ribbon and its VBA, made from the declarations of the layers below."""

from xlbilling.maker.workbook import build_workbook

__all__ = ["build_workbook"]
