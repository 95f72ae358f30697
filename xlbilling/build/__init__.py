"""The workbook, its ribbon and its VBA, made from the declarations of the layers below."""
