"""OpenID Connect Core §3.2.2.5 and §3.3.2.5: tokens in the answer of the authorization endpoint.

Law: they are made in the unit of work that grants, carry no refresh token, and the ID token
vouches for whatever stands beside it.
"""

from __future__ import annotations

from dataclasses import replace

from tenantry.keys.signing import KeyRing
from tenantry.oauth import user_tokens
from tenantry.oauth.user_tokens import UserGrant
from tenantry.rules.addresses import TenantAddress
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

GRANT_TYPE = "implicit"


def issue(
    db: TenantSession, address: TenantAddress, grant: UserGrant, ring: KeyRing
) -> dict[str, str]:
    """The parameters of the answer, without the code. `grant` says what is asked for."""
    front = grant.front_channel
    if front is None:
        return {}
    # §11: "offline_access" is ignored where no code is exchanged.
    scopes = tuple(scope for scope in grant.scopes if scope != "offline_access")
    grant = replace(grant, scopes=scopes)
    fields: dict[str, str] = {}
    access_token = None
    if front.response_type.has_token:
        response = user_tokens.issue_tokens(db, address, grant, ring)
        access_token = response["access_token"]
        fields = {
            "access_token": access_token,
            "token_type": response["token_type"],
            "expires_in": str(response["expires_in"]),
            "scope": " ".join(scopes),
        }
    if front.response_type.has_id_token:
        fields["id_token"] = user_tokens.id_token(db, address, grant, ring, access_token)
    if access_token is None:
        record(
            db,
            Event(
                "token.issued",
                client_id=grant.client.application.client_id,
                user_id=grant.user.id,
                details={"grant_type": GRANT_TYPE, "audience": "", "scope": " ".join(scopes)},
            ),
        )
    return fields
