"""An application that keeps to a FAPI profile, request by request; each can be spoilt."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.facts import ProofOfPossession, TokenEndpointAuthMethod
from tenantry.rules.compliance import LEVELS
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.client_certificates import RFC4514, made
from tests.support.client_keys import assertion_claims, proving, public_jwk, rsa_key, signed
from tests.support.dpop import Prover
from tests.support.flow import Asked, Parameters, authorize, log_in, request_for
from tests.support.server import Client, Tenant

Json = dict[str, Any]
KEY = rsa_key()
INTERACTION = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a"


def settings(level: ComplianceLevel, **changes: Any) -> Json:
    """What an application brings for its level."""
    by_key = TokenEndpointAuthMethod.PRIVATE_KEY_JWT in LEVELS[level].methods
    method = "private_key_jwt" if by_key else "tls_client_auth"
    own: Json = {
        "compliance_level": level.value,
        "token_endpoint_auth_method": method,
        "jwks": {"keys": [public_jwk(KEY)]},
        "id_token_signed_response_alg": "PS256",
        "authorization_signed_response_alg": "PS256",
        "grant_types": ("authorization_code", "refresh_token", "implicit", "client_credentials"),
    }
    if not by_key:
        own["tls_client_auth_subject_dn"] = RFC4514
    return own | changes


@dataclass
class Compliant:
    """`application` and `tenant` of a server that believes the headers of its proxy."""

    tenant: Tenant
    client: Client
    level: ComplianceLevel
    prover: Prover = field(default_factory=Prover)

    @property
    def profile(self) -> Any:
        return LEVELS[self.level]

    @property
    def binds_by_key(self) -> bool:
        return bool(self.profile.bound_by is ProofOfPossession.DPOP)

    def now(self) -> int:
        return int(self.tenant.server.clock.now().timestamp())

    def headers(self, path: str) -> dict[str, str]:
        """What the connection and the proof say, at the endpoint `path`."""
        by_certificate = not self.binds_by_key
        by_certificate |= TokenEndpointAuthMethod.PRIVATE_KEY_JWT not in self.profile.methods
        headers = made().headers() if by_certificate else {}
        if self.binds_by_key:
            headers["DPoP"] = self.prover.proof(self.tenant, "POST", path)
        return headers

    def proof(self, alg: str = "PS256", **claims: Any) -> Parameters:
        """What authenticates the application in the body."""
        if TokenEndpointAuthMethod.PRIVATE_KEY_JWT not in self.profile.methods:
            return {"client_id": self.client.id}
        now = self.now()
        told = assertion_claims(
            self.tenant, self.client, **({"iat": now, "exp": now + 60} | claims)
        )
        return {"client_id": self.client.id, **proving(signed(told, KEY, alg, kid="k1"))}

    def asked(self, **changes: str | None) -> Asked:
        own: dict[str, str | None] = {"scope": "openid offline_access"}
        if self.profile.signed_response or self.profile.code_needs_signed_response:
            own["response_mode"] = "jwt"
        return request_for(self.client, **(own | changes))

    def request_object(self, asked: Asked, alg: str = "PS256", **changes: Any) -> str:
        now = self.now()
        claims: Json = asked.parameters | {
            "iss": self.client.id,
            "aud": self.tenant.issuer,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(8),
        }
        claims |= changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return signed(kept, KEY, alg, kid="k1")

    def parameters(self, asked: Asked) -> Parameters:
        """As the level has a request: in an object that is signed, or plain."""
        if not self.profile.request_algorithms:
            return asked.parameters
        return {"client_id": self.client.id, "request": self.request_object(asked)}

    def post(self, path: str, fields: Parameters, **headers: str) -> httpx2.Response:
        url = self.tenant.url(path)
        return self.tenant.server.client.post(
            url, data=fields, headers=self.headers(path) | headers
        )

    def push(self, parameters: Parameters, proof: Parameters | None = None) -> httpx2.Response:
        return self.post("oauth/par", parameters | (self.proof() if proof is None else proof))

    def sign_in(self, browser: Browser, asked: Asked) -> Page:
        response = self.push(self.parameters(asked))
        assert response.status_code == 201, response.text
        reference = response.json()["request_uri"]
        page = authorize(
            browser, self.tenant, {"client_id": self.client.id, "request_uri": reference}
        )
        return log_in(browser, page) if page.title == "Log in" else page

    def answer(self, page: Page) -> Json:
        """The parameters of the answer, out of its JWT where it is one."""
        if "response" not in page.answer:
            return dict(page.answer)
        _, claims = jwt.verify(page.answer["response"], self.tenant.jwks())
        return claims

    def redeem(self, asked: Asked, code: str, **changes: str) -> httpx2.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.parameters["redirect_uri"],
            "code_verifier": asked.verifier,
        }
        return self.post("oauth/token", fields | self.proof() | changes)

    def refresh(self, token: str) -> httpx2.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return self.post("oauth/token", fields | self.proof())

    def userinfo(self, token: str, interaction: str | None = INTERACTION) -> httpx2.Response:
        headers = {"x-fapi-interaction-id": interaction} if interaction else {}
        if self.binds_by_key:
            headers["authorization"] = f"DPoP {token}"
            headers["DPoP"] = self.prover.proof(self.tenant, "GET", "userinfo", token)
        else:
            headers |= made().headers() | {"authorization": f"Bearer {token}"}
        return self.tenant.server.client.get(self.tenant.url("userinfo"), headers=headers)
