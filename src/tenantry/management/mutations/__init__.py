"""What the schema changes: a file per noun, each field one unit of work."""
