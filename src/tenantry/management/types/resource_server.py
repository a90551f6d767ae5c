"""APIs as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core import facts as core
from tenantry.core.facts import AccessPolicy, ResourceServerFacts, SigningAlgorithm, TokenDialect
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish

ABOUT: Mapping[str, str] = {
    "identifier": (
        "The audience of its tokens, compared exactly, a URL by custom: 1 to 600 visible ASCII "
        "characters. Never changes."
    ),
    "name": "The name that people see. 1 to 200 characters, without < and >.",
    "scopes": "Its permissions, replaced as a whole: at most 1000, each value once.",
    "signing_alg": (
        "How its access tokens are signed; the tenant must have switched it on. Never changes. "
        "Default `RS256`."
    ),
    "token_lifetime": "How long access tokens are valid, in seconds: 1 to 2592000. Default 86400.",
    "token_dialect": "How the claims of access tokens are named. Default `ACCESS_TOKEN`.",
    "skip_consent_for_first_party": (
        "Whether users of first-party applications are not asked for consent. Default true."
    ),
    "user_access_policy": (
        "Which applications may ask for tokens on behalf of users. Default `ALLOW_ALL`."
    ),
    "client_access_policy": (
        "Which applications may ask for tokens for themselves: `REQUIRE_CLIENT_GRANT`, the "
        "default, or `DENY_ALL`."
    ),
    "enforce_policies": "Whether users get only those scopes that they have as permissions.",
    "is_system": "Whether it is the management API, which cannot be changed or deleted.",
}
SCOPE_ABOUT: Mapping[str, str] = {
    "value": (
        "The name that tokens carry: 1 to 280 visible ASCII characters without quotes and "
        "backslashes, none of the names that OpenID Connect reserves."
    ),
    "description": "What it permits, for consent pages. At most 500 characters; default empty.",
}


@strawberry.type(description="A permission of an API.")
class Scope:
    value: str = described(SCOPE_ABOUT, "value")
    description: str = described(SCOPE_ABOUT, "description")


@strawberry.input(description="A permission of an API.")
class ScopeInput:
    value: str = described(SCOPE_ABOUT, "value")
    description: str = strawberry.field(description=SCOPE_ABOUT["description"], default="")

    def facts(self) -> core.Scope:
        return core.Scope(self.value, self.description)


@strawberry.type(description="An API: a resource server that accepts access tokens.")
class ResourceServer(StoredObject):
    identifier: str = described(ABOUT, "identifier")
    name: str = described(ABOUT, "name")
    scopes: list[Scope] = described(ABOUT, "scopes")
    signing_alg: SigningAlgorithm = described(ABOUT, "signing_alg")
    token_lifetime: int = described(ABOUT, "token_lifetime")
    token_dialect: TokenDialect = described(ABOUT, "token_dialect")
    skip_consent_for_first_party: bool = described(ABOUT, "skip_consent_for_first_party")
    user_access_policy: AccessPolicy = described(ABOUT, "user_access_policy")
    client_access_policy: AccessPolicy = described(ABOUT, "client_access_policy")
    enforce_policies: bool = described(ABOUT, "enforce_policies")
    is_system: bool = described(ABOUT, "is_system")

    @classmethod
    def of(cls, facts: ResourceServerFacts, tenant_id: str) -> ResourceServer:
        return publish(
            cls,
            facts,
            id=global_id("ResourceServer", tenant_id, facts.id),
            scopes=[publish(Scope, scope) for scope in facts.scopes],
        )
