"""The terminal: commands, those on files alone, and the doctor."""
