"""The workbook that is open in Excel, or in an application that stands in for it."""
