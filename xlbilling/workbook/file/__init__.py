"""The workbook as a file on disk: read as it is, written by splicing."""
