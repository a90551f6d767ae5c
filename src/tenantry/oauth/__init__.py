"""The protocol: a module for each specification, each opening with its source and its law."""
