"""RFC 9449: that whoever sends a request has a key, at any endpoint.

Law: a proof counts once, for one request, for a short time; and with a nonce where the tenant
wants that. A nonce is stored nowhere: it is a keyed digest of the time at which it was given out.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tenantry.core.clock import timestamp
from tenantry.keys.client_keys import BadSignature
from tenantry.keys.dpop import verify_proof
from tenantry.keys.vault import Vault
from tenantry.rules.dpop import NONCE_WINDOW, BadProof, require_fit, until_when
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime

_NONCE_PURPOSE = "DPoP nonces"
_MAX_NONCE = 255


class RefusedProof(Exception):
    """`error` is `invalid_dpop_proof` or `use_dpop_nonce`; `nonce` is what to use from now on."""

    def __init__(self, error: str, description: str, nonce: str | None) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.nonce = nonce


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """The thumbprint of a key that the sender has. `nonce` is for its next proof."""

    jkt: str
    nonce: str | None


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """A request with its headers `DPoP`; `access_token` is what it presents to a resource."""

    unverified_proofs: Sequence[str]
    method: str
    path: str
    access_token: str | None = None


async def verify(runtime: Runtime, context: RequestContext, asked: ProofRequest) -> ProvenKey:
    """§4.3: form, signature, claims, nonce, and then the claim of its `jti`."""
    tenant_id = context.address.tenant_id
    tenant = await load_tenant(runtime, tenant_id)
    now = timestamp(runtime.clock.now())
    nonce = None
    if tenant.require_dpop_nonce:
        nonce = _nonce(runtime.vault, tenant_id, now // NONCE_WINDOW)
    try:
        # §4.3 (1): "there is not more than one DPoP HTTP request header field".
        if len(asked.unverified_proofs) != 1:
            raise BadProof("there is more than one")
        proof = verify_proof(asked.unverified_proofs[0])
        urls = context.address.urls_of(asked.path)
        jti = require_fit(proof.claims, asked.method, urls, asked.access_token)
        ends_at = None
        if nonce is not None:
            # §4.3 (10) and §8: the nonce that the server gave out.
            ends_at = _nonce_end(runtime.vault, tenant_id, now, proof.claims.get("nonce"))
            if ends_at is None:
                text = "The DPoP proof must carry the nonce of the header DPoP-Nonce."
                raise RefusedProof("use_dpop_nonce", text, nonce)
        until = until_when(proof.claims, now, ends_at)
    except (BadProof, BadSignature) as error:
        raise _refused(str(error), nonce) from None
    # §11.1: "the same DPoP proof JWT" is not taken again while it would be good.
    digest = hashlib.sha256(f"{proof.jkt}\n{jti}".encode()).hexdigest()
    first = await runtime.replays.claim(
        tenant_id, f"dpop:{digest}", datetime.fromtimestamp(until, UTC)
    )
    if not first:
        raise _refused("it was used before", nonce)
    return ProvenKey(proof.jkt, nonce)


def _refused(reason: str, nonce: str | None) -> RefusedProof:
    return RefusedProof("invalid_dpop_proof", f"The DPoP proof is refused: {reason}.", nonce)


def _nonce(vault: Vault, tenant_id: str, window: int) -> str:
    return vault.digest(f"{tenant_id}\n{window}", _NONCE_PURPOSE)


def _nonce_end(vault: Vault, tenant_id: str, now: int, unverified_nonce: object) -> int | None:
    """When a nonce that was given out here, by any process, ends in epoch seconds."""
    if not isinstance(unverified_nonce, str) or len(unverified_nonce) > _MAX_NONCE:
        return None
    this = now // NONCE_WINDOW
    given = unverified_nonce.encode(errors="replace")
    # Another machine's clock may be a little ahead.
    for window in (this, this - 1, this + 1):
        for candidate in vault.digests(f"{tenant_id}\n{window}", _NONCE_PURPOSE):
            if secrets.compare_digest(candidate.encode(), given):
                return (window + 2) * NONCE_WINDOW
    return None
