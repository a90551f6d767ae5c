"""The whole flow of FAPI 2.0: pushed, begun with a session, redeemed by assertion and proof."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from bench_support.code_flow import Flow, get, location, post
from bench_support.management import APPLICATION, RESOURCE_SERVER, Management
from bench_support.people import CONNECTION, REDIRECT_URI
from bench_support.proofs import ASSERTION_TYPE, jwk_of, signed_by

ALGORITHM = "PS256"
API = "https://accounts.bench.example.com/"
SCOPE = "openid offline_access read:accounts"


@dataclass(frozen=True)
class Bank:
    """An application at the level FAPI2_SP_PKJ_DPOP, with its keys."""

    client_id: str
    issuer: str
    assertion_key: ec.EllipticCurvePrivateKey
    proof_key: ec.EllipticCurvePrivateKey

    def flow(self, cookie: str) -> Flow:
        """From /oauth/par to the tokens, for a person with a session. Whether it succeeded."""
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(8)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "audience": API,
            "state": state,
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        status, _, body = yield post("/oauth/par", urlencode(asked | self._assertion()))
        if status != 201:
            return False
        reference = body.decode().partition('"request_uri":"')[2].partition('"')[0]
        named = urlencode({"client_id": self.client_id, "request_uri": reference})
        status, head, _ = yield get(f"/authorize?{named}", cookie)
        answered = parse_qs(urlsplit(location(head)).query)
        if status != 303 or answered.get("state") != [state] or "code" not in answered:
            return False
        form = {
            "grant_type": "authorization_code",
            "code": answered["code"][0],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        }
        proof = {"DPoP": self._proof("oauth/token")}
        status, _, body = yield post("/oauth/token", urlencode(form | self._assertion()), proof)
        return status == 200 and b'"id_token"' in body and b'"token_type":"DPoP"' in body

    def _assertion(self) -> dict[str, str]:
        now = int(time.time())
        who = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer}
        claims = who | {"iat": now, "exp": now + 60, "jti": secrets.token_urlsafe(16)}
        return {
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signed_by(self.assertion_key, {}, claims),
        }

    def _proof(self, path: str) -> str:
        header = {"typ": "dpop+jwt", "jwk": jwk_of(self.proof_key)}
        claims = {"htm": "POST", "htu": f"{self.issuer}{path}", "iat": int(time.time())}
        return signed_by(self.proof_key, header, claims | {"jti": secrets.token_urlsafe(16)})


def create_bank(port: int, management: Management) -> Bank:
    """With an API whose tokens are signed as its ID tokens are."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    api = {
        "name": "Bench, accounts",
        "identifier": API,
        "scopes": [{"value": "read:accounts", "description": "Read accounts"}],
        "signingAlg": ALGORITHM,
        "allowOfflineAccess": True,
        "userAccessPolicy": "ALLOW_ALL",
    }
    management.mutate(RESOURCE_SERVER, [api])
    values = {
        "name": "Bank",
        "applicationType": "REGULAR_WEB",
        "complianceLevel": "FAPI2_SP_PKJ_DPOP",
        "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
        "redirectUris": [REDIRECT_URI],
        "tokenEndpointAuthMethod": "PRIVATE_KEY_JWT",
        "jwks": {"keys": [jwk_of(keys[0])]},
        "idTokenSignedResponseAlg": ALGORITHM,
        "connections": [CONNECTION],
    }
    made = management.mutate(APPLICATION, [values])[0]["application"]
    return Bank(made["clientId"], f"http://127.0.0.1:{port}/", *keys)
