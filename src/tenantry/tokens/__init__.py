"""Tokens: what they say, who signs them, how they end."""
