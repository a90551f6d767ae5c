"""RFC 7518 §3.5: a tenant signs with PS256 as soon as something of its own wants it."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tenantry.core.errors import DomainError
from tests.support.server import Tenant


def test_the_first_that_chooses_ps256_switches_it_on(tenant: Tenant) -> None:
    """RFC 7518 §3.5: with keys of its own, which discovery and the key set show from then on."""
    client = tenant.application("non_interactive")
    discovery = tenant.url(".well-known/openid-configuration")
    listed = "id_token_signing_alg_values_supported"
    assert "PS256" not in tenant.server.client.get(discovery).json()[listed]
    tenant.api("https://ps256.example", "read:things", signing_alg="PS256")
    tenant.grant(client, "https://ps256.example", "read:things")
    answer = tenant.token(
        client, grant_type="client_credentials", audience="https://ps256.example"
    ).json()
    published: Any = tenant.jwks()
    keys = KeySet.import_key_set(published)
    token = jwt.decode(answer["access_token"], keys, algorithms=["PS256"])
    assert token.header["alg"] == "PS256"
    assert "PS256" in tenant.server.client.get(discovery).json()[listed]
    with pytest.raises(DomainError, match="ES256"):
        tenant.api("https://es256.example", "read:things", signing_alg="ES256")
