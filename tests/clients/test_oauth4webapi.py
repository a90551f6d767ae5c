"""oauth4webapi of the npm registry, unmodified, which checks each answer to the letter."""

from __future__ import annotations

from itertools import cycle

import pytest

from tests.clients import node
from tests.clients.furnish import PROFILES, Profile, registered, registering, require_echo, settings
from tests.clients.node import Person
from tests.support.server import Tenant

pytestmark = pytest.mark.node


@pytest.mark.parametrize(
    "profile, algorithm",
    list(zip(PROFILES, cycle(("oidc", "oauth2")), strict=False)),
    ids=lambda value: value.id if isinstance(value, Profile) else value,
)
def test_every_flow(tenant: Tenant, person: Person, profile: Profile, algorithm: str) -> None:
    """OpenID Connect Core §3.1, §5.3, §9 and §12, RFC 6749 §6, 7009, 7636, 7662, 8414, 8628, 9207,
    9701, RP-Initiated Logout §2.
    """
    user = tenant.user(name="Ann", email_verified=True)
    client = registered(tenant, profile)
    given = settings(tenant, client, profile) | {"algorithm": algorithm}
    result = node.run("oauth4webapi.mjs", given, person)
    assert result["sub"] == user.id
    assert result["id_token"]["alg"] == profile.id_token_alg
    assert result["userinfo"]["email"] == "ann@example.com"
    assert result["narrowed"]["sub"] == user.id
    assert "email" not in result["narrowed"]
    if profile.has_device:
        assert result["device"]["email"] == "ann@example.com"
    if profile.method != "none":
        assert result["introspection"]["client_id"] == client.id
        assert result["introspection"]["scope"] == "openid"


@pytest.mark.parametrize("profile", PROFILES[::2], ids=lambda profile: profile.id)
def test_every_flow_of_an_application_that_registers_itself(
    tenant: Tenant, person: Person, profile: Profile
) -> None:
    """OpenID Connect Registration §3 and §4, RFC 7591 §3."""
    tenant.change(enable_dynamic_client_registration=True)
    user = tenant.user()
    asked = registering(tenant, profile)
    result = node.run("oauth4webapi.mjs", asked, person)
    require_echo(asked["register"], result)
    assert result["sub"] == user.id
    assert result["id_token"]["alg"] == profile.id_token_alg
