"""The GraphQL management API: one schema that administers everything of a tenant."""
