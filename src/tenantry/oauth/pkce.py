"""RFC 7636: Proof Key for Code Exchange.

Law: S256 alone, and a verifier without a challenge is an attack, not a courtesy.
"""

from __future__ import annotations

import re
import secrets

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tenantry.oauth.errors import OAuthError, invalid_grant, invalid_request

METHODS = ("S256",)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def read_challenge(challenge: str | None, method: str | None, *, required: bool) -> str | None:
    """The challenge of an authorization request (§4.3, §4.4.1)."""
    if challenge is None:
        if method is not None:
            raise invalid_request("The parameter code_challenge is missing.")
        if required:
            raise invalid_request("This application must send a code_challenge (PKCE).")
        return None
    if method != "S256":
        raise invalid_request("The parameter code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise invalid_request("The parameter code_challenge is not a SHA-256 in base64url.")
    return challenge


def verify(challenge: str | None, verifier: str | None) -> OAuthError | None:
    """None where the verifier fits (§4.6)."""
    if challenge is None:
        if verifier is None:
            return None
        # RFC 9700 §4.8.2: a verifier without a challenge shows that the challenge was removed.
        return invalid_grant("The authorization request had no code_challenge.")
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return invalid_grant("The parameter code_verifier is missing or malformed.")
    if not secrets.compare_digest(str(create_s256_code_challenge(verifier)), challenge):
        return invalid_grant("The parameter code_verifier does not fit.")
    return None
