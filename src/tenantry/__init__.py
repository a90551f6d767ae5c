"""Tenantry: many OAuth 2.0 and OpenID Connect authorization servers in one installation."""

__version__ = "0.1.0"
