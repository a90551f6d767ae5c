"""A tenant's configuration as one document: written out, compared, and made so."""
