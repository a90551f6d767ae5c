"""Commands: frozen inputs that both edges build. What they hold is checked by `rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tenantry.core.credentials import CredentialUse
from tenantry.rules.subjects import SectorDocument

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes of one object: an absent field is unchanged, None clears."""

    id: str
    values: Values = field(default_factory=dict)
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class NewApplication:
    """`connections` are names; None enables what the tenant's setting says.

    `sector` is what was fetched from its `sector_identifier_uri`. `credentials` are the keys that
    it begins with, by their use.
    """

    values: Values
    client_secret: str | None = None
    connections: tuple[str, ...] | None = None
    sector: SectorDocument | None = None
    credentials: Mapping[CredentialUse, tuple[Values, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A public key of the application with this client id."""

    client_id: str
    values: Values


@dataclass(frozen=True, slots=True)
class ApplicationPatch:
    """A patch of an application. `client_secret` sets a secret that the operator chose."""

    patch: Patch
    client_secret: str | None = None
    connections: tuple[str, ...] | None = None
    sector: SectorDocument | None = None


@dataclass(frozen=True, slots=True)
class Permissions:
    """Scopes at one API, to be given or taken."""

    audience: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewUser:
    """`connection` is a name; `password_hash` was made by the password workers.

    `imported_hash` was made by another system, and is checked like any other value.
    """

    connection: str
    values: Values
    password: str | None = None
    password_hash: str | None = None
    imported_hash: str | None = None
    blocked: bool = False
