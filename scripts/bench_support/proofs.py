"""An application that proves itself by a JWT and a key by another (RFC 7523, RFC 9449)."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench_support.management import APPLICATION, AUDIENCE, CLIENT_GRANT, SCOPES, Management

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Proofs are good from half a minute before their time to a minute after it.
AHEAD = 20
LONGEST = 40
"""Seconds for which proofs that were made together last."""

# Each assertion and each proof counts once.
PROOF_SCRIPT = """\
function init()
  next_line = io.lines(LINES)
end
function request()
  local form, proof = (next_line() or "none left"):match("^(%S+) (%S+)$")
  local headers = {["Content-Type"] = "application/x-www-form-urlencoded", ["DPoP"] = proof}
  return wrk.format("POST", nil, headers, form)
end
"""


@dataclass(frozen=True)
class Prover:
    """The application with its keys, and whom it asks for what."""

    client_id: str
    issuer: str
    audience: str
    assertion_key: ec.EllipticCurvePrivateKey
    proof_key: ec.EllipticCurvePrivateKey

    def lines(self, number: int) -> Iterator[str]:
        """So many token requests, each a form and a proof."""
        jwk = jwk_of(self.proof_key)
        for _ in range(number):
            now = int(time.time())
            who = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer}
            assertion = who | {"exp": now + 300, "jti": secrets.token_urlsafe(16)}
            proof = {"htm": "POST", "htu": f"{self.issuer}oauth/token", "iat": now + AHEAD}
            proof |= {"jti": secrets.token_urlsafe(16)}
            form = {
                "grant_type": "client_credentials",
                "audience": self.audience,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signed_by(self.assertion_key, {}, assertion),
            }
            header = {"typ": "dpop+jwt", "jwk": jwk}
            yield f"{urlencode(form)} {signed_by(self.proof_key, header, proof)}"


def create_prover(port: int, management: Management, algorithm: str) -> Prover:
    """With a client grant for the API whose tokens have the algorithm."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    values = {
        "name": "Prover",
        "applicationType": "MACHINE_TO_MACHINE",
        "tokenEndpointAuthMethod": "PRIVATE_KEY_JWT",
        "jwks": {"keys": [jwk_of(keys[0])]},
        "dpopBoundAccessTokens": True,
    }
    client_id = management.mutate(APPLICATION, [values])[0]["application"]["clientId"]
    grant = {"clientId": client_id, "audience": AUDIENCE + algorithm, "scopes": list(SCOPES)}
    management.mutate(CLIENT_GRANT, [grant | {"subjectType": "CLIENT"}])
    return Prover(client_id, f"http://127.0.0.1:{port}/", AUDIENCE + algorithm, *keys)


def jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (_encoded(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def signed_by(
    key: ec.EllipticCurvePrivateKey, header: dict[str, Any], claims: dict[str, Any]
) -> str:
    """A compact JWS by ES256."""
    parts = ({"alg": "ES256", **header}, claims)
    text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_encoded(r.to_bytes(32) + s.to_bytes(32))}"
