"""Why an application gets a token, or why not."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.facts import GrantType, ProofOfPossession, ResponseTypeName
from tenantry.management.context import Info
from tenantry.management.errors import request_error
from tenantry.management.fields import field
from tenantry.management.permissions import require_scopes
from tenantry.management.types.explanation import AuthorizationExplanation
from tenantry.rules import scopes as scope_rules
from tenantry.services.explanation_cases import ExplanationRequest, misplaced
from tenantry.services.explanations import explain


def _argument(description: str) -> object:
    return strawberry.argument(description=description)


@strawberry.type
class ExplanationQueries:
    @field(
        "Whether a token would be issued for a request, each rule that took part and what the "
        "token would say. It runs the rules of the token endpoint, and issues and stores nothing. "
        "What would be presented there (a secret, a code, a password, a token or an assertion) is "
        "taken to be good. Null where the application or the user is not known. With `userId` it "
        "needs the scope read:users as well, with `organization` read:organizations.",
        ("read:applications", "read:resource_servers", "read:client_grants"),
    )
    async def authorization_explain(
        self,
        info: Info,
        client_id: Annotated[str, _argument("The `clientId` of the application that asks.")],
        grant_type: Annotated[
            GrantType,
            _argument(
                "How it asks. With `IMPLICIT` the answer of the authorization endpoint itself is "
                "explained, with `AUTHORIZATION_CODE` that of the token endpoint to the code."
            ),
        ],
        audience: Annotated[
            str | None,
            _argument(
                "The identifier of the API; several with spaces between, where the tenant allows "
                "that. By default the tenant's own, or none."
            ),
        ] = None,
        scopes: Annotated[
            list[str] | None, _argument("The scopes that it asks for; by default none.")
        ] = None,
        user_id: Annotated[
            str | None,
            _argument(
                "The user whom it speaks for. Without one, what depends on the user is not "
                "decided, and the claims are null."
            ),
        ] = None,
        organization: Annotated[
            str | None,
            _argument(
                "The organization that the token is for, as requests name it. For a refresh or "
                "an exchange, that of the token which is presented."
            ),
        ] = None,
        response_type: Annotated[
            ResponseTypeName | None,
            _argument(
                "The parts of the answer of the authorization endpoint. By default `CODE`, and "
                "`ID_TOKEN_TOKEN` with `IMPLICIT`."
            ),
        ] = None,
        redirect_uri: Annotated[
            str | None,
            _argument("Where that answer goes. By default the application's first redirect URI."),
        ] = None,
        connection: Annotated[
            str | None, _argument("The name of the connection, with `PASSWORD_REALM`.")
        ] = None,
        assertion_issuer: Annotated[
            str | None, _argument("Who signed the assertion, with `JWT_BEARER`.")
        ] = None,
        presented_scopes: Annotated[
            list[str] | None,
            _argument(
                "The scopes of the refresh token or of the subject token that is presented. By "
                "default a refresh token has the `scopes`, and a subject token all. A refresh "
                "token always has `offline_access`."
            ),
        ] = None,
        authorization_details: Annotated[
            str | None,
            _argument(
                "The authorization details that it asks for in a request that was pushed: the "
                "JSON text of RFC 9396. Only with `AUTHORIZATION_CODE` and `IMPLICIT`; by default "
                "none."
            ),
        ] = None,
        proof_of_possession: Annotated[
            ProofOfPossession | None,
            _argument(
                "What the token request proves, so that the token is bound to it; by default "
                "nothing. The claim `cnf` is left out."
            ),
        ] = None,
    ) -> AuthorizationExplanation | None:
        context = info.context
        if user_id is not None:
            require_scopes(context, (("read:users",),))
        if organization is not None:
            require_scopes(context, (("read:organizations",),))
        held = presented_scopes
        asked = ExplanationRequest(
            client_id=client_id,
            grant_type=grant_type,
            audience=audience,
            scopes=_tokens("scopes", scopes or []),
            user_id=user_id,
            organization=organization or None,
            response_type=response_type,
            redirect_uri=redirect_uri,
            authorization_details=authorization_details or None,
            connection=connection,
            assertion_issuer=assertion_issuer,
            presented_scopes=None if held is None else _tokens("presentedScopes", held),
            proof_of_possession=proof_of_possession,
        )
        if wrong := misplaced(asked):
            raise request_error("BAD_REQUEST", wrong)
        found = await explain(context.runtime, context.request.address, context.caller, asked)
        return AuthorizationExplanation.of(found) if found else None


def _tokens(name: str, values: list[str]) -> tuple[str, ...]:
    if not all(scope_rules.SCOPE_TOKEN.fullmatch(value) for value in values):
        raise request_error("BAD_REQUEST", f"The argument {name} has what is no scope.")
    return tuple(dict.fromkeys(values))
