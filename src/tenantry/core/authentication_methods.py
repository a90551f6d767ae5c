"""How applications prove who they are (OpenID Connect Core §9, RFC 8705 §2)."""

from __future__ import annotations

from enum import StrEnum


class TokenEndpointAuthMethod(StrEnum):
    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"
    CLIENT_SECRET_POST = "client_secret_post"
    CLIENT_SECRET_JWT = "client_secret_jwt"
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS_CLIENT_AUTH = "tls_client_auth"
    SELF_SIGNED_TLS_CLIENT_AUTH = "self_signed_tls_client_auth"

    @property
    def uses_secret(self) -> bool:
        return self.value.startswith("client_secret_")

    @property
    def uses_certificate(self) -> bool:
        """RFC 8705 §2: by the certificate of the TLS connection."""
        return self.value.endswith("tls_client_auth")
