"""What the schema shows: a file per noun, each a hand-written whitelist of its facts."""
