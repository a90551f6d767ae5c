"""Custom claims by declared mappings: OpenID Connect Core §5.1.2, RFC 7519 §4.2 and §4.3."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tenantry.core.facts import ClaimMapping, ClaimSource, ClaimTarget, TokenDialect
from tenantry.rules.claim_mappings import RESERVED, claim_mappings
from tenantry.rules.custom_claims import ClaimSources, custom
from tenantry.services import users
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.flow import sign_in
from tests.support.management import Api, root_api
from tests.support.server import Client, Server, Tenant, both_databases

API = "https://api.example.com"
NS = "https://app.example.com/"
EVERYWHERE = tuple(ClaimTarget)


def mapping(
    claim: str,
    source: ClaimSource = ClaimSource.USER_METADATA,
    path: str | None = None,
    tokens: tuple[ClaimTarget, ...] = EVERYWHERE,
) -> ClaimMapping:
    return ClaimMapping(claim=claim, source=source, path=path, tokens=tokens)


def said(browser: Browser, tenant: Tenant, client: Client, **changes: str) -> list[dict[str, Any]]:
    """The claims of the ID token, of the access token and of userinfo."""
    asked = {"scope": "openid read:x", "audience": API} | changes
    tokens = sign_in(browser, tenant, client, **asked).tokens()
    access = tokens["access_token"]
    return [
        jwt.claims_of(tokens["id_token"]),
        jwt.claims_of(access),
        tenant.userinfo(access).json(),
    ]


@both_databases
def test_claims_from_every_source(server: Server, tenant: Tenant, browser: Browser) -> None:
    """Each source where its mapping says, and nowhere else."""
    tenant.api(API, "read:x", "write:x", enforce_policies=True)
    tenant.change(
        claim_mappings=(
            mapping(f"{NS}colour", path="favourite.colour"),
            mapping("plan", ClaimSource.APP_METADATA, "plan", (ClaimTarget.ACCESS_TOKEN,)),
            mapping(f"{NS}missing", path="favourite.colour.deeper"),
        )
    )
    client = tenant.application(
        application_metadata={"tier": "gold"},
        claim_mappings=(
            mapping(f"{NS}tier", ClaimSource.APPLICATION_METADATA, "tier"),
            mapping(f"{NS}roles", ClaimSource.ROLES, tokens=(ClaimTarget.ID_TOKEN,)),
            mapping(f"{NS}permissions", ClaimSource.PERMISSIONS),
            mapping(f"{NS}all", tokens=(ClaimTarget.USERINFO,)),
        ),
    )
    metadata = {"favourite": {"colour": "red", "numbers": [1, 2.5, None, True]}}
    user = tenant.user(user_metadata=metadata, app_metadata={"plan": {"name": "big"}})
    tenant.give_role(user, tenant.role("writer", API, "write:x"))
    tenant.permit(user, API, "read:x")
    id_token, access_token, userinfo = said(browser, tenant, client)
    common = {
        f"{NS}colour": "red",
        f"{NS}tier": "gold",
        f"{NS}permissions": ["read:x", "write:x"],
    }
    custom_only = [
        {name: value for name, value in claims.items() if name.startswith(NS) or name == "plan"}
        for claims in (id_token, access_token, userinfo)
    ]
    assert custom_only == [
        common | {f"{NS}roles": ["writer"]},
        common | {"plan": {"name": "big"}},
        common | {f"{NS}all": metadata},
    ]


def test_machine_tokens_know_the_application(tenant: Tenant) -> None:
    """RFC 6749 §4.4: no user, so only the application's metadata and its scopes."""
    tenant.api(API, "read:x")
    client = tenant.application(
        "non_interactive",
        application_metadata={"tier": "gold"},
        claim_mappings=(
            mapping("tier", ClaimSource.APPLICATION_METADATA, "tier"),
            mapping("can", ClaimSource.PERMISSIONS),
            mapping("colour", path="colour"),
        ),
    )
    tenant.grant(client, API, "read:x")
    answer = tenant.token(client, grant_type="client_credentials", audience=API).json()
    claims = jwt.claims_of(answer["access_token"])
    assert (claims["tier"], claims["can"]) == ("gold", ["read:x"])
    assert "colour" not in claims


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_custom_claim_has_a_reserved_name(name: str) -> None:
    """RFC 7519 §4.1, OpenID Connect Core §2 and §5.1, RFC 9068 §2.2."""
    for spelling in (name, name.upper()):
        with pytest.raises(DomainError, match="meaning of its own") as refusal:
            claim_mappings([mapping(spelling)], ("claim_mappings",))
        assert refusal.value.field == ("claim_mappings", "0", "claim")


def test_what_tokens_say_is_never_replaced(tenant: Tenant, browser: Browser) -> None:
    """Whatever a token says by itself no mapping could say: every claim has a reserved name."""
    dialect = TokenDialect.RFC9068_PROFILE_AUTHZ
    tenant.api(API, "read:x", enforce_policies=True, token_dialect=dialect)
    tenant.user(name="Ann", email_verified=True, phone_number="+4930123456")
    client = tenant.application()
    scope = "openid profile email phone address read:x"
    for claims in said(browser, tenant, client, scope=scope):
        assert claims.keys() <= RESERVED


def test_a_taken_name_drops_the_custom_claim() -> None:
    """A collision is no error: the claim that is there stays, the first mapping counts."""
    sources = ClaimSources(
        user_metadata={"a": 1, "b": "x" * 4_000, "c": "y" * 200},
        app_metadata={"a": 2},
        application_metadata={},
    )
    mappings = [
        mapping("kept", path="a"),
        mapping("kept", ClaimSource.APP_METADATA, "a"),
        mapping("taken", path="a"),
        mapping("large", path="b"),
        mapping("too_much", path="c"),
    ]
    found = custom(mappings, sources, ClaimTarget.ID_TOKEN, {"taken"})
    assert found.claims == {"kept": 1, "large": "x" * 4_000}
    assert [dropped.claim for dropped in found.dropped] == ["kept", "taken", "too_much"]


def test_the_application_counts_before_the_tenant(tenant: Tenant, browser: Browser) -> None:
    """Two mappings of one name: the nearer one."""
    tenant.api(API, "read:x")
    tenant.change(claim_mappings=(mapping("colour", path="theirs"),))
    tenant.user(user_metadata={"theirs": "red", "ours": "blue"})
    client = tenant.application(claim_mappings=(mapping("colour", path="ours"),))
    assert [claims["colour"] for claims in said(browser, tenant, client)] == ["blue"] * 3
    other = tenant.application()
    assert [claims["colour"] for claims in said(browser, tenant, other)] == ["red"] * 3


# --- the preview ---------------------------------------------------------------------------

PREVIEW = """query($user: String!, $client: String!, $audience: String, $scopes: [String!]!) {
  claimsPreview(userId: $user, clientId: $client, audience: $audience, scopes: $scopes) {
    accessToken idToken userinfo error errorDescription dropped { claim reason } } }"""


def previewed(api: Api, client: Client, user: str, scope: str, audience: str | None = API) -> Any:
    variables = {"user": user, "client": client.id, "audience": audience}
    found = api.data(PREVIEW, scopes=scope.split(), **variables)
    return found["claimsPreview"]


@pytest.mark.parametrize("oidc_conformant", [True, False])
@pytest.mark.parametrize("dialect", TokenDialect)
def test_the_preview_says_what_tokens_say(
    tenant: Tenant, browser: Browser, dialect: TokenDialect, oidc_conformant: bool
) -> None:
    """The same claims as are issued, but for the times and names of this very sign-in."""
    scopes = ("read:x", "write:x")
    options = {"token_dialect": dialect, "allow_offline_access": True}
    tenant.api(API, *scopes, enforce_policies=True, **options)
    client = tenant.application(
        oidc_conformant=oidc_conformant,
        claim_mappings=(mapping(f"{NS}colour", path="colour"), mapping("all")),
    )
    user = tenant.user(user_metadata={"colour": "red"}, name="Ann")
    tenant.permit(user, API, "write:x")
    scope = "openid profile offline_access read:x write:x"
    issued = said(browser, tenant, client, scope=scope)
    with tenant.server.stores_nothing():
        found = previewed(root_api(tenant), client, user.id, scope)
    once = {"iat", "exp", "jti", "auth_time", "sid", "nonce", "at_hash", "acr", "amr"}
    once |= {"updated_at"}
    for name, claims in zip(("idToken", "accessToken", "userinfo"), issued, strict=True):
        kept = {key: value for key, value in claims.items() if key not in once}
        shown = {key: value for key, value in found[name].items() if key not in once}
        assert shown == kept, name
    assert found["dropped"] == []
    assert found["error"] is None


def test_the_preview_tells_refusals_and_what_was_dropped(tenant: Tenant) -> None:
    """A refusal is the one that the application would get."""
    api, user = root_api(tenant), tenant.user(user_metadata={"big": "x" * 5_000})
    client = tenant.application(claim_mappings=(mapping("big", path="big"),))
    found = previewed(api, client, user.id, "openid", "https://unknown.example.com")
    assert (found["error"], found["accessToken"]) == ("invalid_target", None)
    found = previewed(api, client, user.id, "openid", None)
    assert found["accessToken"]["aud"] == tenant.url("userinfo")
    assert found["dropped"] == [{"claim": "big", "reason": "The token would be too large."}]
    found = previewed(api, client, user.id, "profile", None)
    assert (found["idToken"], found["userinfo"]) == (None, None)
    assert previewed(api, client, "unknown", "openid") is None


def test_the_preview_needs_both_read_scopes(tenant: Tenant) -> None:
    """It shows a user to whom it may show users, as an application to whom applications."""
    from tests.support.management import tenant_api

    client, user = tenant.application(), tenant.user()
    variables = {"user": user.id, "client": client.id, "scopes": ["openid"]}
    for scopes in (("read:users",), ("read:applications",)):
        assert tenant_api(tenant, *scopes).error(PREVIEW, **variables)["code"] == "FORBIDDEN"


def test_a_preview_follows_a_change(tenant: Tenant) -> None:
    """Nothing is remembered from one sign-in to the next."""
    api, user = root_api(tenant), tenant.user(user_metadata={"colour": "red"})
    client = tenant.application(claim_mappings=(mapping("colour", path="colour"),))
    assert previewed(api, client, user.id, "openid", None)["userinfo"]["colour"] == "red"
    tenant.write(users.update, Patch(user.id, {"user_metadata": {"colour": None}}))
    assert "colour" not in previewed(api, client, user.id, "openid", None)["userinfo"]
