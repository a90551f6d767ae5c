"""The routes under an issuer, hot ones first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tenantry.core.errors import Overloaded
from tenantry.edge.access_control import AccessControl
from tenantry.edge.endpoints import (
    authorize,
    backchannel,
    confirmation,
    device,
    interaction,
    jobs,
    logout,
    mailbox,
    metadata,
    operations,
    organization,
    registration,
    userinfo,
)
from tenantry.edge.endpoints.check_session import check_session
from tenantry.edge.endpoints.introspection import introspection
from tenantry.edge.endpoints.par import par
from tenantry.edge.endpoints.revocation import revocation
from tenantry.edge.endpoints.token import token
from tenantry.edge.errors import (
    error_response_page,
    oauth_error,
    overloaded,
    too_many_requests,
)
from tenantry.edge.render import json_response, refuse
from tenantry.edge.throttle import TooManyRequests, spend
from tenantry.oauth.errors import OAuthError
from tenantry.rules.rate_limits import RateLimit, subscriber
from tenantry.services.request import request_context

Endpoint = Callable[[Request], Awaitable[Response]]
Methods = Mapping[str, Endpoint]

ROUTES: Mapping[str, Methods] = {
    "/oauth/token": {"POST": token},
    "/oauth/par": {"POST": par},
    "/oauth/introspect": {"POST": introspection},
    "/oauth/revoke": {"POST": revocation},
    "/userinfo": {"GET": userinfo.userinfo, "POST": userinfo.userinfo},
    "/.well-known/jwks.json": {"GET": metadata.jwks},
    "/.well-known/openid-configuration": {"GET": metadata.provider},
    "/.well-known/oauth-authorization-server": {"GET": metadata.provider},
    "/.well-known/oauth-protected-resource/graphql": {"GET": metadata.protected_resource},
    "/.well-known/assetlinks.json": {"GET": metadata.asset_links},
    "/.well-known/apple-app-site-association": {"GET": metadata.site_association},
    "/apple-app-site-association": {"GET": metadata.site_association},
    "/authorize": {"GET": authorize.authorization, "POST": authorize.authorization},
    "/u/login": {"GET": interaction.login_form, "POST": interaction.login},
    "/u/account": {"GET": confirmation.account_form, "POST": confirmation.account},
    "/u/organization": {
        "GET": organization.organization_form,
        "POST": organization.organization,
    },
    "/u/consent": {"GET": interaction.consent_form, "POST": interaction.consent},
    "/u/confirm": {"GET": confirmation.confirm_form, "POST": confirmation.confirm},
    "/oauth/device/code": {"POST": device.codes},
    "/u/device": {"GET": device.code_form, "POST": device.code_typed},
    "/bc-authorize": {"POST": backchannel.authentication},
    "/u/approval": {"GET": backchannel.approval_form, "POST": backchannel.approval},
    "/u/logout": {"POST": logout.confirm},
    "/u/mailbox": {"GET": mailbox.mailbox},
    "/oidc/check_session": {"GET": check_session},
    "/oidc/logout": {"GET": logout.rp_initiated, "POST": logout.rp_initiated},
    "/v2/logout": {"GET": logout.return_to},
    "/oidc/register": {"POST": registration.register},
    "/healthz": {"GET": operations.healthz},
    "/readyz": {"GET": operations.readyz},
    "/": {"GET": operations.home},
}


# Where no application proves itself first; what is public and may be stored is not counted.
BY_ADDRESS: Mapping[str, RateLimit] = {
    "/oidc/register": RateLimit.REGISTRATION,
    registration.CONFIGURATION: RateLimit.ADDRESS,
    jobs.PREFIX: RateLimit.ADDRESS,
    **dict.fromkeys(
        (
            "/userinfo",
            "/authorize",
            "/u/login",
            "/u/account",
            "/u/organization",
            "/u/consent",
            "/u/confirm",
            "/u/device",
            "/u/approval",
            "/u/logout",
            "/u/mailbox",
            "/oauth/device/code",
            "/oidc/logout",
            "/v2/logout",
        ),
        RateLimit.ADDRESS,
    ),
}


class Router:
    """Finds the endpoint by the exact path in a table; two kinds of path have a parameter."""

    def __init__(self, graphql: ASGIApp, assets: Mapping[str, Path]) -> None:
        self._graphql = graphql
        self._assets = operations.Assets(assets)
        self._access = AccessControl()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        methods = ROUTES.get(path)
        refusal = await self._access.refusal(scope)
        if refusal is not None:
            scope["tenantry.route"] = path if methods or path == "/graphql" else "none"
            await refuse(scope, receive, send, refusal)
            return
        if methods is None and path == "/graphql":
            scope["tenantry.route"] = path
            await self._graphql(scope, receive, send)
            return
        if methods is None and path.startswith("/assets/"):
            scope["tenantry.route"] = "/assets"
            methods = {"GET": self._assets.serve}
        elif methods is None and path.startswith(registration.CONFIGURATION):
            scope["tenantry.route"] = registration.CONFIGURATION
            methods = {"GET": registration.read, "DELETE": registration.delete}
        elif methods is None and path.startswith(jobs.PREFIX):
            scope["tenantry.route"] = jobs.PREFIX
            methods = jobs.methods(path)
        elif methods is not None:
            scope["tenantry.route"] = path
        if scope["type"] == "websocket":
            await refuse(scope, receive, send, json_response({"error": "not_found"}, 404))
            return
        request = Request(scope, receive)
        response = await self._respond(request, methods)
        await response(scope, receive, send)

    async def _respond(self, request: Request, methods: Methods | None) -> Response:
        if methods is None:
            return _missing(request)
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = methods.get(method)
        if endpoint is None:
            return _wrong_method(sorted(methods))
        try:
            limit = BY_ADDRESS.get(request.scope.get("tenantry.route", ""))
            if limit is not None:
                await _spend(request, limit)
            return await endpoint(request)
        except TooManyRequests as error:
            return too_many_requests(request, error)
        except OAuthError as error:  # Here, so that its answer passes through `Cors` as well.
            return oauth_error(error)
        except Overloaded as error:
            return overloaded(error)


async def _spend(request: Request, limit: RateLimit) -> None:
    context = request_context(request.scope)
    await spend(request.scope["tenantry.runtime"], context, limit, subscriber(context.facts.ip))


def _missing(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return error_response_page(request, None, "not_found", "There is no such page.", 404)
    return json_response({"error": "not_found"}, 404)


def _wrong_method(allowed: Sequence[str]) -> Response:
    names = ", ".join(allowed)
    return json_response(
        {"error": "invalid_request", "error_description": f"The method must be {names}."},
        405,
        {"Allow": names},
    )
