"""The desk: what every button needs, whatever it does: the sheets, Save, Undo, what was looked at."""
