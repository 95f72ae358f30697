"""A sample district, wholly invented: its tables, the files it gets, and what its clerk decides."""
