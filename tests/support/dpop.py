"""RFC 9449 as an application does it: a key, and a proof of it for each request."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec

from tenantry.core.clock import timestamp
from tests.support.client_keys import public_jwk, signed
from tests.support.server import Client, Tenant


def digest(text: str) -> str:
    """A SHA-256 in base64url, in other words than the server's."""
    found = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


@dataclass
class Prover:
    """Whoever has the key. `nonce` is the last that a server gave."""

    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    alg: str = "ES256"
    nonce: str | None = None

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(self.key, None)

    @property
    def jkt(self) -> str:
        """RFC 7638 §3: the required members in order, without spaces."""
        return digest(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")))

    def claims(
        self, tenant: Tenant, method: str, path: str, token: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Good claims; a change to None leaves the claim out."""
        claims: dict[str, Any] = {
            "htm": method,
            "htu": tenant.url(path),
            "iat": timestamp(tenant.server.clock.now()),
            "jti": secrets.token_urlsafe(16),
            "ath": digest(token) if token else None,
            "nonce": self.nonce,
        }
        claims |= changes
        return {name: value for name, value in claims.items() if value is not None}

    def proof(
        self, tenant: Tenant, method: str, path: str, token: str | None = None, **changes: Any
    ) -> str:
        header = {"typ": "dpop+jwt", "jwk": self.jwk}
        claims = self.claims(tenant, method, path, token, **changes)
        return signed(claims, self.key, self.alg, **header)

    def ask(self, tenant: Tenant, client: Client, **fields: str) -> httpx2.Response:
        """A token request with a proof."""
        url = tenant.url("oauth/token")
        return self._noted(
            tenant.server.client.post(
                url,
                data=client.body | fields,
                headers={"DPoP": self.proof(tenant, "POST", "oauth/token")},
            )
        )

    def get(self, tenant: Tenant, path: str, token: str) -> httpx2.Response:
        """A protected resource by the scheme DPoP."""
        url = tenant.url(path)
        headers = {"authorization": f"DPoP {token}", "DPoP": self.proof(tenant, "GET", path, token)}
        return self._noted(tenant.server.client.get(url, headers=headers))

    def administer(self, tenant: Tenant, token: str, query: str) -> httpx2.Response:
        url = tenant.url("graphql")
        headers = {
            "authorization": f"DPoP {token}",
            "DPoP": self.proof(tenant, "POST", "graphql", token),
        }
        return self._noted(tenant.server.client.post(url, json={"query": query}, headers=headers))

    def _noted(self, response: httpx2.Response) -> httpx2.Response:
        """RFC 9449 §8.2: the nonce of an answer is for the next request."""
        self.nonce = response.headers.get("dpop-nonce", self.nonce)
        return response
