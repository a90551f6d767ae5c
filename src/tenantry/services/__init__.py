"""Use cases. They load the facts that rules decide on, write through the store and audit."""
