"""The office: one action per button, each a pass from the store and the sheets to new documents and clear words."""
