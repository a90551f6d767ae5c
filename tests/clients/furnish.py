"""Applications as the libraries are set up for them: how they prove themselves, what is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.server import CALLBACK, Client, Tenant

AFTER = "https://app.example.com/signed-out"
# OpenID Connect Registration §2: where a native application that registers itself may be.
LOOPBACK = "http://127.0.0.1:8123"
GRANTS = ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code")

Json = dict[str, Any]


@dataclass(frozen=True)
class Profile:
    """`assertion_alg` is what the application signs with, `userinfo_alg` what it gets signed."""

    method: str
    id_token_alg: str
    application_type: str = "regular_web"
    assertion_alg: str = ""
    userinfo_alg: str = ""
    introspection_alg: str = ""

    @property
    def id(self) -> str:
        return f"{self.method}-{self.id_token_alg}"

    @property
    def has_device(self) -> bool:
        return self.application_type == "native"


PROFILES = (
    Profile("none", "ES256", "native", userinfo_alg="RS256"),
    Profile("client_secret_basic", "RS256", introspection_alg="RS256"),
    Profile("client_secret_post", "PS256", userinfo_alg="ES256"),
    Profile("client_secret_jwt", "EdDSA", assertion_alg="HS256", userinfo_alg="EdDSA"),
    Profile("private_key_jwt", "PS256", assertion_alg="PS256", introspection_alg="RS256"),
    Profile("private_key_jwt", "ES256", assertion_alg="ES256", userinfo_alg="PS256"),
)


def registered(tenant: Tenant, profile: Profile) -> Client:
    values = registration(profile)
    for name in ("application_type", "client_name", "response_types"):
        del values[name]
    return tenant.application(profile.application_type, **values)


def settings(tenant: Tenant, client: Client, profile: Profile) -> Json:
    """What a program needs to know."""
    metadata = {
        "token_endpoint_auth_method": profile.method,
        "id_token_signed_response_alg": profile.id_token_alg,
        "userinfo_signed_response_alg": profile.userinfo_alg,
        "introspection_signed_response_alg": profile.introspection_alg,
    }
    return {
        "issuer": tenant.issuer,
        "client_id": client.id,
        "secret": client.secret,
        "key": private_pem(_key(profile)),
        "assertion_alg": profile.assertion_alg,
        "metadata": {name: value for name, value in metadata.items() if value},
        "device": profile.has_device,
        "redirect_uri": client.redirect_uri,
        "after": client.facts.post_logout_redirect_uris[0],
    }


def registration(profile: Profile) -> Json:
    """What an application sends that registers itself."""
    native = profile.application_type == "native"
    metadata: Json = {
        "application_type": "native" if native else "web",
        "client_name": "The application",
        "redirect_uris": [f"{LOOPBACK}/callback" if native else CALLBACK],
        "post_logout_redirect_uris": [f"{LOOPBACK}/signed-out" if native else AFTER],
        "grant_types": list(GRANTS if native else GRANTS[:2]),
        "response_types": ["code"],
        "token_endpoint_auth_method": profile.method,
        "id_token_signed_response_alg": profile.id_token_alg,
    }
    if profile.userinfo_alg:
        metadata["userinfo_signed_response_alg"] = profile.userinfo_alg
    if profile.assertion_alg:
        metadata["token_endpoint_auth_signing_alg"] = profile.assertion_alg
    if profile.method == "private_key_jwt":
        metadata["jwks"] = {"keys": [public_jwk(_key(profile))]}
    return metadata


def registering(tenant: Tenant, profile: Profile) -> Json:
    """What a program needs to know that registers its application itself."""
    metadata = registration(profile)
    return {
        "issuer": tenant.issuer,
        "register": metadata,
        "key": private_pem(_key(profile)),
        "assertion_alg": profile.assertion_alg,
        "device": profile.has_device,
        "redirect_uri": metadata["redirect_uris"][0],
        "after": metadata["post_logout_redirect_uris"][0],
    }


def _key(profile: Profile) -> Any:
    return ec_key() if profile.assertion_alg == "ES256" else rsa_key()


def private_pem(key: Any) -> str:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


def require_echo(metadata: Json, result: Json) -> None:
    """RFC 7591 §3.2.1: all that was registered is told, and read again with the token."""
    answer: Json = result["client"]
    assert metadata.items() <= answer.items()
    assert ("client_secret" in answer) == metadata["token_endpoint_auth_method"].startswith(
        "client_secret"
    )
    assert answer.get("client_secret_expires_at", 0) == 0
    assert result["read"] == {k: v for k, v in answer.items() if k != "client_secret"}
