"""RFC 9449: tokens that are bound to a key, which each request proves to have by a signed JWT.

Law: a token is bound to the key of the request that it came from; what was bound is of no use
without that key, and a proof that is refused consumes nothing but itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.confirmation import Confirmation
from tenantry.keys.dpop import ALGORITHMS
from tenantry.oauth import bearer
from tenantry.oauth.errors import OAuthError, invalid_grant, invalid_request
from tenantry.oauth.parameters import Parameters
from tenantry.rules.dpop import is_thumbprint
from tenantry.services.dpop import RefusedProof

METADATA: Mapping[str, Any] = {"dpop_signing_alg_values_supported": list(ALGORITHMS)}
PARAMETER = "dpop_jkt"
ALGS = f'algs="{" ".join(ALGORITHMS)}"'


def refused(error: RefusedProof) -> OAuthError:
    """§5 and §8: at an endpoint where applications authenticate."""
    return OAuthError(error.error, error.description)


def refused_at_resource(error: RefusedProof) -> OAuthError:
    """§7.1 and §9: at a protected resource."""
    told = bearer.challenge(error.error, error.description)
    return OAuthError(error.error, error.description, 401, {"WWW-Authenticate": told})


def with_challenge(error: OAuthError, *, by_proof: bool) -> OAuthError:
    """§7.1 and §7.2: by the scheme of the request; beside a Bearer challenge there is ours."""
    told = error.headers["WWW-Authenticate"]
    told = f"DPoP{told.removeprefix('Bearer')}, {ALGS}" if by_proof else f"{told}, DPoP {ALGS}"
    return OAuthError(
        error.error, error.description, error.status, {"WWW-Authenticate": told}, str(error)
    )


def read_thumbprint(parameters: Parameters) -> str | None:
    """§10: "dpop_jkt", the key to which the code will be bound."""
    value = parameters.get(PARAMETER)
    if value is not None and not is_thumbprint(value):
        raise invalid_request("The parameter dpop_jkt is not a SHA-256 thumbprint.")
    return value


def with_proven_key(parameters: Parameters, confirmation: Confirmation | None) -> Parameters:
    """§10.1: a pushed request with the key of its proof, as if `dpop_jkt` had named it."""
    jkt = confirmation.jkt if confirmation else None
    if jkt is None:
        return parameters
    named = parameters.get(PARAMETER)
    if named is None:
        return Parameters([*parameters.pairs, (PARAMETER, jkt)])
    # §10.1: the server "MUST reject the request" if the two differ.
    if named != jkt:
        text = "The parameter dpop_jkt is not the thumbprint of the DPoP proof's key."
        raise OAuthError("invalid_dpop_proof", text)
    return parameters


def require_key_of_code(jkt: str | None, confirmation: Confirmation | None) -> OAuthError | None:
    """§10: the proof of the token request is by the key that the authorization request named."""
    if jkt is None or (confirmation is not None and confirmation.jkt == jkt):
        return None
    return invalid_grant("The authorization code is bound to another DPoP key.", "another key")


def holds(bound: Confirmation | None, confirmation: Confirmation | None) -> bool:
    """Whether a request proves everything that a token is bound to (§5, RFC 8705 §4)."""
    if bound is None:
        return True
    proven = confirmation.as_claim() if confirmation else {}
    return bound.as_claim().items() <= proven.items()
