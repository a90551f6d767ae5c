"""RFC 6749 §4: which function serves which grant type. A plain table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tenantry.oauth import authorization_code, client_credentials
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
}
