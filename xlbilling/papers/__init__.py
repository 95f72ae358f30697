"""Reports: workbooks filled from templates, and the file the print vendor gets."""
