"""The workbook: reading and writing its tables, live in Excel or in the file."""
