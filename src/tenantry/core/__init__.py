"""Values that every layer shares: errors, time, identifiers, facts."""
