"""RFC 6749 §4: which function serves which grant type. A plain table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tenantry.oauth import (
    authorization_code,
    ciba_grant,
    client_credentials,
    device,
    jwt_bearer,
    password,
    refresh_token,
    token_exchange,
)
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.token_response import TokenResponse
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime

Grant = Callable[
    [Runtime, RequestContext, AuthenticatedClient, Parameters], Awaitable[TokenResponse]
]

GRANTS: Mapping[str, Grant] = {
    client_credentials.GRANT_TYPE: client_credentials.grant,
    authorization_code.GRANT_TYPE: authorization_code.grant,
    refresh_token.GRANT_TYPE: refresh_token.grant,
    device.GRANT_TYPE: device.grant,
    ciba_grant.GRANT_TYPE: ciba_grant.grant,
    password.GRANT_TYPE: password.grant,
    password.REALM_GRANT_TYPE: password.grant_in_realm,
    token_exchange.GRANT_TYPE: token_exchange.grant,
    jwt_bearer.GRANT_TYPE: jwt_bearer.grant,
}
