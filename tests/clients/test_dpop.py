"""RFC 9449 with oauth4webapi of the npm registry, unmodified."""

from __future__ import annotations

import pytest

from tests.clients import node
from tests.clients.node import Person
from tests.support.server import Tenant

pytestmark = pytest.mark.node


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
@pytest.mark.parametrize("with_nonces", [False, True])
def test_a_public_application(tenant: Tenant, person: Person, alg: str, with_nonces: bool) -> None:
    """§5, §7, §8, §9 and §10: code, userinfo and refresh, each with a proof; pushed in one case."""
    tenant.change(require_dpop_nonce=with_nonces)
    user = tenant.user()
    client = tenant.application("spa", dpop_bound_access_tokens=True)
    settings = {
        "issuer": tenant.issuer,
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "alg": alg,
        "pushes": alg == "PS256",
    }
    result = node.run("dpop.mjs", settings, person)
    assert result["userinfo"]["sub"] == user.id
    # One is asked for at first; it serves every endpoint of the origin.
    assert result["nonces"] == (1 if with_nonces else 0)
