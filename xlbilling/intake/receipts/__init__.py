"""Files of payments."""
