"""What comes in from outside: every file is taken as hostile, read in a guarded child, and kept exact or listed."""
