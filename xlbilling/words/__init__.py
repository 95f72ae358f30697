"""The vocabulary: what every floor above speaks of, and the declarations of the tables."""
