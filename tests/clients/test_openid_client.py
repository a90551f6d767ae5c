"""openid-client of the npm registry, unmodified, through every flow with all its checks on."""

from __future__ import annotations

import pytest

from tests.clients import node
from tests.clients.furnish import PROFILES, Profile, registered, registering, require_echo, settings
from tests.clients.node import Person
from tests.support.server import Tenant

pytestmark = pytest.mark.node

API = "https://api.example.com"


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_every_flow(tenant: Tenant, person: Person, profile: Profile) -> None:
    """OpenID Connect Core §3.1, §5.3, §9 and §12, RFC 6749 §6, 7009, 7636, 7662, 8628, 9207, 9701,
    RP-Initiated Logout §2.
    """
    user = tenant.user(name="Ann", email_verified=True)
    client = registered(tenant, profile)
    result = node.run("openid_client.mjs", settings(tenant, client, profile), person)
    assert result["sub"] == user.id
    assert result["id_token"]["alg"] == profile.id_token_alg
    assert result["userinfo"]["name"] == "Ann"
    assert result["userinfo"]["email"] == "ann@example.com"
    if profile.has_device:
        assert result["device"]["name"] == "Ann"
    if profile.method != "none":
        assert result["introspection"]["client_id"] == client.id
        assert result["introspection"]["sub"] == user.id


@pytest.mark.parametrize("profile", PROFILES[1::2], ids=lambda profile: profile.id)
def test_every_flow_of_an_application_that_registers_itself(
    tenant: Tenant, person: Person, profile: Profile
) -> None:
    """OpenID Connect Registration §3 and §4, RFC 7591 §3."""
    tenant.change(enable_dynamic_client_registration=True)
    user = tenant.user()
    asked = registering(tenant, profile)
    result = node.run("openid_client.mjs", asked, person)
    require_echo(asked["register"], result)
    assert result["sub"] == user.id
    assert result["id_token"]["alg"] == profile.id_token_alg


def test_the_front_channel_and_the_application_itself(tenant: Tenant, person: Person) -> None:
    """RFC 9101, OpenID Connect Core §3.2 and §3.3, RFC 6749 §4.4, RFC 8707."""
    user = tenant.user()
    tenant.api(API, "read", "write")
    profile = Profile("private_key_jwt", "PS256", assertion_alg="PS256")
    client = tenant.change_application(
        registered(tenant, profile),
        grant_types=("authorization_code", "implicit", "client_credentials"),
        request_object_signing_alg="PS256",
    )
    tenant.grant(client, API, "read")
    given = settings(tenant, client, profile) | {"audience": API}
    result = node.run("front_channel.mjs", given, person)
    assert len(result) == 4
    assert set(result.values()) == {user.id}
