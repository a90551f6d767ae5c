"""Background work that any process may do and one does at a time."""
