"""What operations cost is taken from a bucket of their caller and tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal
from throttled import utils

from tenantry.core.facts import Environment
from tenantry.rules.rate_limits import ALLOWANCES, RateLimit
from tests.support.databases import Databases
from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server

FACTOR = 0.001
LEAST = 1_000
"""The most that one operation may cost here, and so the least that a bucket can hold."""
PAGE = "{ applications(first: 99) { nodes { name } } }"
SCHEMA = "{ __schema { types { name } } }"


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server with small buckets, and operations that are small enough for them."""
    with databases.url("sqlite") as url:
        made = Server(url, portal, rate_limit_factor=FACTOR, graphql_max_cost=LEAST)
        made.begin()
        # A document that is new costs something of its own.
        for query in (PAGE, SCHEMA):
            root_api(made.root).answer(query)
        yield made
        made.close()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stops the clock of the buckets; it is moved by what is returned."""
    now = [utils.now_mono_f()]
    monkeypatch.setattr(utils, "now_mono_f", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def throttle(answer: Json) -> Json:
    found: Json = answer["extensions"]["cost"]["throttle"]
    return found


def emptied(api: Api) -> Json:
    """The answer to the first operation that is refused."""
    for _ in range(12):
        response = api.post(PAGE)
        if response.status_code == 429:
            answer: Json = response.json() | {"retryAfter": response.headers["retry-after"]}
            return answer
        assert response.status_code == 200
    raise AssertionError("the bucket is bottomless")


def test_the_bucket_empties_and_fills_again(server: Server, later: Callable[[float], None]) -> None:
    api = tenant_api(server.tenant(), "read:applications")
    assert throttle(api.answer(PAGE)) == {"maximum": 1000, "available": 900, "restoreRate": 50}
    answer = emptied(api)
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "THROTTLED", "retryAfter": 2}
    assert answer["retryAfter"] == "2"
    assert answer["extensions"]["cost"]["requested"] == 100
    assert throttle(answer)["available"] == 0
    later(1)
    assert api.post(PAGE).status_code == 429
    later(1)
    assert throttle(api.answer(PAGE))["available"] == 0
    later(3600)
    assert throttle(api.answer(PAGE))["available"] == 900


def test_each_caller_and_each_tenant_has_its_own(
    server: Server, later: Callable[[float], None]
) -> None:
    first, second = server.tenant(), server.tenant()
    busy = tenant_api(first, "read:applications")
    emptied(busy)
    for api in (tenant_api(first, "read:applications"), root_api(first), root_api(second)):
        assert throttle(api.answer(PAGE))["available"] == 900
    assert busy.post(PAGE).status_code == 429


def test_production_has_more(server: Server, later: Callable[[float], None]) -> None:
    api = root_api(server.tenant())
    before = throttle(api.answer(PAGE))
    api.do("tenantUpdate", "__typename", {"environment": "PRODUCTION"})
    after = throttle(api.answer(PAGE))
    assert after["restoreRate"] == 2 * before["restoreRate"]
    trial, production = ALLOWANCES[Environment.STAGING], ALLOWANCES[Environment.PRODUCTION]
    for limit in RateLimit:
        assert production[limit].burst > trial[limit].burst
        assert production[limit].per_minute > trial[limit].per_minute


def test_nobody_in_particular_is_limited_by_address(
    server: Server, later: Callable[[float], None]
) -> None:
    anonymous = Api(server.tenant())
    statuses = [anonymous.post(SCHEMA).status_code for _ in range(101)]
    assert statuses[:99] == [200] * 99
    assert statuses[-1] == 429


def test_subscriptions_are_limited_alike(server: Server, later: Callable[[float], None]) -> None:
    api = tenant_api(server.tenant(), "read:applications", "read:logs")
    emptied(api)
    while api.post("{ viewer { id } }").status_code == 200:
        pass
    events = api.sending(accept="text/event-stream")
    response = events.post("subscription { logEvents { cursor } }")
    assert response.status_code == 429
    assert response.headers["retry-after"]


@pytest.mark.parametrize(
    "made_up",
    [
        lambda n: f"{{ nonsense{n} }} #{'x' * 800}",
        lambda n: f"{{ viewer {{ #{n}{'x' * 800}",
        lambda n: f"{{ viewer {{ {'id ' * 300} }} }} #{n}",
    ],
    ids=["invalid", "syntax", "limit"],
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_documents_that_cannot_run_are_not_free(
    server: Server, later: Callable[[float], None], made_up: Callable[[int], str], accept: str
) -> None:
    """To find out takes longer than to run a small one."""
    api = root_api(server.tenant()).sending(accept=accept)
    first = 10 * len(accept)  # What is known already costs nothing to read.
    statuses = [api.post(made_up(first + n)).status_code for n in range(6)]
    assert set(statuses[:4]) <= {200, 400}
    assert statuses[5] == 429
    later(60)
    assert api.post(made_up(first + 7)).status_code in {200, 400}


def test_what_is_known_is_read_once(server: Server, later: Callable[[float], None]) -> None:
    api = root_api(server.tenant())
    query = f"{{ viewer {{ id }} }} #{'x' * 400}"
    first, second = (throttle(api.answer(query))["available"] for _ in range(2))
    assert LEAST - first > 100
    assert first - second == 1


def test_who_proves_nobody_is_limited_by_address(
    server: Server, later: Callable[[float], None]
) -> None:
    tenant = server.tenant()
    forged = Api(tenant, "x.y.z")
    statuses = [forged.post(PAGE).status_code for _ in range(4)]
    assert statuses == [401, 401, 429, 429]
    response = forged.post(PAGE)
    assert response.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert response.headers["retry-after"]
    assert root_api(tenant).post(PAGE).status_code == 200
    later(3600)
    assert forged.post(PAGE).status_code == 401


def test_keys_are_rotated_less_often(server: Server, later: Callable[[float], None]) -> None:
    """Of the whole tenant, whoever asks; two are let through here, then one each 30 minutes."""
    tenant = server.tenant()
    api, other = root_api(tenant), tenant_api(tenant, "update:signing_keys")
    mutation = "mutation { signingKeyRotate(input: {}) { errors { code } } }"
    api.do("signingKeyRotate", "__typename", {})
    other.do("signingKeyRotate", "__typename", {})
    error = api.error(mutation)
    assert error["code"] == "THROTTLED"
    assert error["path"] == ["signingKeyRotate"]
    assert 0 < error["retryAfter"] <= 60
    later(error["retryAfter"])
    assert "errors" not in api.answer(mutation)
    assert root_api(server.tenant()).do("signingKeyRotate", "__typename", {})


def test_a_factor_of_nothing_switches_it_off(databases: Databases, portal: BlockingPortal) -> None:
    with databases.url("sqlite") as url:
        server = Server(url, portal, rate_limit_factor=0)
        server.begin()
        cost = root_api(server.root).answer(PAGE)["extensions"]["cost"]
        assert cost == {"requested": 100, "limit": 10_000}
        server.close()
