"""What the schema shows: a file per noun, each a hand-written whitelist of its facts."""

# The enums are described before any type names one.
from tenantry.management.types import authentication, enums

__all__ = ["authentication", "enums"]
