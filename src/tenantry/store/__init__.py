"""All SQL. Every function takes a tenant's session first and sees no other tenant."""
