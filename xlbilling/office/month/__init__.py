"""The month as a whole: what is posted."""
