"""The access control list of a tenant: rules in order, of which the first that matches decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from throttled import utils

from tenantry.core.access_control import AccessAction, AccessRule, EndpointGroup
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.errors import DomainError
from tenantry.edge.routes import ROUTES
from tenantry.rules.access_control import access_control_list, group_of, is_blocked
from tenantry.services import tenants
from tenantry.store.unit_of_work import INSTALLATION
from tests.management.test_statements import statements
from tests.support.configuration import applied, apply, changes, export
from tests.support.custom_domains import SELF_MANAGED, ready
from tests.support.databases import Databases
from tests.support.management import Api, root_api
from tests.support.server import Server, Tenant, begun, both_databases

EVERY_GROUP = tuple(EndpointGroup)
PROXY = "127.0.0.1"  # The peer of the tests' requests.
PUBLIC = {
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/graphql",
    "/.well-known/assetlinks.json",
    "/.well-known/apple-app-site-association",
    "/apple-app-site-association",
    "/healthz",
    "/readyz",
    "/",
}
ASKED = {
    EndpointGroup.AUTHENTICATION: ("GET", "authorize"),
    EndpointGroup.TOKENS: ("POST", "oauth/token"),
    EndpointGroup.DCR: ("POST", "oidc/register"),
    EndpointGroup.MANAGEMENT: ("POST", "graphql"),
}


def rule(action: AccessAction, *cidrs: str, groups: Any = EVERY_GROUP) -> AccessRule:
    return AccessRule(action=action, endpoint_groups=tuple(groups), cidrs=cidrs)


def allow(*cidrs: str, groups: Any = EVERY_GROUP) -> AccessRule:
    return rule(AccessAction.ALLOW, *cidrs, groups=groups)


def block(*cidrs: str, groups: Any = EVERY_GROUP) -> AccessRule:
    return rule(AccessAction.BLOCK, *cidrs, groups=groups)


@pytest.fixture(scope="module")
def proxied(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server behind a proxy that says who asks."""
    with (
        databases.url("sqlite") as url,
        begun(url, portal, trusted_proxies=f"{PROXY}/32") as made,
    ):
        yield made


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stops the clock of what is sampled; it is moved by what is returned."""
    now = [utils.now_mono_f()]
    monkeypatch.setattr(utils, "now_mono_f", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def ask(tenant: Tenant, group: EndpointGroup, ip: str = "", **headers: str) -> httpx2.Response:
    """A request that is refused by the endpoint itself, if it comes there."""
    method, path = ASKED[group]
    given = headers | ({"x-forwarded-for": ip} if ip else {})
    return tenant.server.client.request(method, tenant.url(path), headers=given)


def is_kept_out(response: httpx2.Response) -> bool:
    return response.status_code == 403 and "access control list" in response.text


# --- the rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules, ip, blocked",
    [
        ([], "192.0.2.1", False),
        ([block("192.0.2.0/24")], "192.0.2.255", True),
        ([block("192.0.2.0/24")], "192.0.3.0", False),
        ([block()], "192.0.2.1", True),
        ([block()], "", True),
        ([block("0.0.0.0/0", "::/0")], "", False),
        ([allow("192.0.2.7/32"), block("192.0.2.0/24")], "192.0.2.7", False),
        ([block("192.0.2.0/24"), allow("192.0.2.7/32")], "192.0.2.7", True),
        ([allow("192.0.2.0/24"), block()], "198.51.100.1", True),
        ([block("2001:db8::/32")], "2001:db8:ffff::1", True),
        ([block("2001:db8::/32")], "2001:db9::1", False),
        ([block("192.0.2.0/24")], "::ffff:192.0.2.1", True),
        ([block("::/0")], "192.0.2.1", False),
        ([block("0.0.0.0/0")], "2001:db8::1", False),
        ([block(groups=[EndpointGroup.DCR]), allow()], "192.0.2.1", False),
    ],
)
def test_the_first_rule_that_matches_decides(
    rules: list[AccessRule], ip: str, blocked: bool
) -> None:
    assert is_blocked(rules, EndpointGroup.TOKENS, ip) is blocked


def test_networks_are_written_one_way() -> None:
    given = block("192.0.2.7", "192.0.2.7/32", "10.0.0.0/255.0.0.0", "2001:DB8:0::/32", "::1")
    (checked,) = access_control_list([given], ())
    assert checked.cidrs == ("192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32", "::1/128")


@pytest.mark.parametrize(
    "cidr",
    ["", "x", "192.0.2.1/24", "192.0.2.0/33", "2001:db8::1/32", "::ffff:192.0.2.0/120", "1",
     "fe80::1%eth0", "192.0.2.0/24 ", "192.0.02.0/24", "١٩٢.0.2.0/24", "*", "192.0.2.0-9"],
)  # fmt: skip
def test_what_is_no_network_is_refused(cidr: str) -> None:
    if cidr.strip() != cidr:
        assert access_control_list([block(cidr)], ())[0].cidrs == (cidr.strip(),)
        return
    with pytest.raises(DomainError) as refusal:
        access_control_list([block("10.0.0.0/8", cidr)], ("access_control_list",))
    assert refusal.value.field == ("access_control_list", "0", "cidrs", "1")


def test_every_endpoint_is_in_a_group_or_public() -> None:
    assert {path for path in ROUTES if group_of(path) is None} == PUBLIC
    assert group_of("/oidc/register/client") is EndpointGroup.DCR
    assert group_of("/jobs/x/data") is group_of("/graphql") is EndpointGroup.MANAGEMENT
    assert group_of("/assets/pages/pages.css") is group_of("") is group_of("//oauth/token") is None


# --- at the edge ------------------------------------------------------------------------------


@both_databases
def test_each_group_is_closed_by_itself(server: Server) -> None:
    for closed in EndpointGroup:
        tenant = server.tenant(access_control_list=(block(f"{PROXY}/32", groups=[closed]),))
        found = {group for group in EndpointGroup if is_kept_out(ask(tenant, group))}
        assert found == {closed}
        for path in PUBLIC - {"/healthz", "/readyz"}:
            response = server.client.get(tenant.url(path.removeprefix("/")))
            assert not is_kept_out(response), path


def test_the_answer_has_the_form_of_the_endpoint(server: Server) -> None:
    tenant = server.tenant(access_control_list=(block(),))
    response = ask(tenant, EndpointGroup.TOKENS)
    assert response.json()["error"] == "access_denied"
    assert response.headers["cache-control"] == "no-store"
    (error,) = ask(tenant, EndpointGroup.MANAGEMENT).json()["errors"]
    assert error["extensions"] == {"code": "ACCESS_DENIED"}
    for path in ("authorize", "graphql"):
        page = server.client.get(tenant.url(path), headers={"accept": "text/html"})
        assert page.status_code == 403
        assert page.headers["content-type"].startswith("text/html")
        assert "content-security-policy" in page.headers


def test_a_change_counts_at_once_and_for_its_tenant_alone(server: Server) -> None:
    tenant, other = server.tenant(), server.tenant()
    assert not is_kept_out(ask(tenant, EndpointGroup.TOKENS))
    tenant.change(access_control_list=(block(groups=[EndpointGroup.TOKENS]),))
    assert is_kept_out(ask(tenant, EndpointGroup.TOKENS))
    assert not is_kept_out(ask(other, EndpointGroup.TOKENS))
    tenant.change(access_control_list=None)
    assert not is_kept_out(ask(tenant, EndpointGroup.TOKENS))


def test_it_asks_nothing_of_the_database(tenant: Tenant) -> None:
    tenant.change(access_control_list=(allow("192.0.2.0/24"), block()))
    assert is_kept_out(ask(tenant, EndpointGroup.TOKENS))
    with statements(tenant) as seen:
        for _ in range(3):
            assert is_kept_out(ask(tenant, EndpointGroup.TOKENS))
    assert seen == []


def test_the_address_is_the_clients_and_not_the_proxys(proxied: Server, server: Server) -> None:
    rules = (allow("198.51.100.0/24"), block())
    tenant = proxied.tenant(access_control_list=rules)
    assert not is_kept_out(ask(tenant, EndpointGroup.TOKENS, "198.51.100.7"))
    assert is_kept_out(ask(tenant, EndpointGroup.TOKENS, "203.0.113.7"))
    # What the client wrote itself stands before what the proxy adds, and is not believed.
    assert is_kept_out(ask(tenant, EndpointGroup.TOKENS, "198.51.100.7, 203.0.113.7"))
    assert is_kept_out(ask(tenant, EndpointGroup.TOKENS))
    # Without a proxy of the settings the header says nothing.
    direct = server.tenant(access_control_list=rules)
    assert is_kept_out(ask(direct, EndpointGroup.TOKENS, "198.51.100.7"))


def test_the_edge_of_a_custom_domain_names_the_address(server: Server) -> None:
    """It has proven itself by its key before its header is read."""
    tenant = server.tenant(access_control_list=(allow("198.51.100.0/24"), block()))
    domain = ready(tenant, type=SELF_MANAGED, custom_client_ip_header="cf-connecting-ip")
    headers = {"cname-api-key": domain.key or "", "cf-connecting-ip": "198.51.100.7"}
    assert not is_kept_out(ask(domain.tenant, EndpointGroup.TOKENS, **headers))
    other = headers | {"cf-connecting-ip": "203.0.113.7"}
    assert is_kept_out(ask(domain.tenant, EndpointGroup.TOKENS, **other))
    forged = ask(domain.tenant, EndpointGroup.TOKENS, **headers | {"cname-api-key": "x"})
    assert forged.status_code == 403
    assert not is_kept_out(forged)


# --- the log ----------------------------------------------------------------------------------


def test_refusals_are_written_down_in_bounded_number(
    proxied: Server, later: Callable[[float], None]
) -> None:
    tenant = proxied.tenant(access_control_list=(allow("192.0.2.0/24"), block()))
    for _ in range(5):
        ask(tenant, EndpointGroup.TOKENS, "203.0.113.7")
    (event,) = tenant.events("access.refused")
    assert event.ip == "203.0.113.7"
    assert event.details == {"endpoint_group": "tokens", "rule": 1, "description": ""}
    ask(tenant, EndpointGroup.DCR, "203.0.113.7")
    for last in range(9):
        ask(tenant, EndpointGroup.TOKENS, f"2001:db8::{last}")
    assert len(tenant.events("access.refused")) == 3
    for last in range(1, 80):
        ask(tenant, EndpointGroup.TOKENS, f"203.0.114.{last}")
    assert len(tenant.events("access.refused")) == 60
    later(60)
    ask(tenant, EndpointGroup.TOKENS, "203.0.113.7")
    assert len(tenant.events("access.refused")) == 61


# --- the management API -----------------------------------------------------------------------

LIST = "accessControlList { action endpointGroups cidrs description }"


def change(api: Api, rules: Any) -> Any:
    done = api.do("tenantUpdate", f"tenant {{ {LIST} }}", {"accessControlList": rules})
    return done["tenant"]["accessControlList"]


def test_the_list_is_a_setting(server: Server) -> None:
    api = root_api(server.tenant())
    given = [
        {"action": "ALLOW", "endpointGroups": ["MANAGEMENT"], "cidrs": ["127.0.0.0/8"],
         "description": "The office"},
        {"action": "BLOCK", "endpointGroups": ["DCR", "MANAGEMENT", "DCR"]},
    ]  # fmt: skip
    shown = [given[0], {**given[1], "endpointGroups": ["DCR", "MANAGEMENT"], "cidrs": [],
                        "description": ""}]  # fmt: skip
    assert change(api, given) == shown
    assert api.data(f"{{ tenant {{ {LIST} }} }}")["tenant"]["accessControlList"] == shown
    (event,) = api.tenant.events("tenant.updated")
    told: Any = event.details["changes"]
    assert told["access_control_list"]["before"] == []
    after = told["access_control_list"]["after"]
    assert [rule["action"] for rule in after] == ["allow", "block"]
    assert change(api, None) == []


@pytest.mark.parametrize(
    "rules, code, field",
    [
        ([{"action": "BLOCK", "endpointGroups": []}], "REQUIRED", ["0", "endpointGroups"]),
        ([{"action": "BLOCK", "endpointGroups": ["DCR"], "cidrs": ["x"]}], "INVALID",
         ["0", "cidrs", "0"]),
        ([{"action": "BLOCK", "endpointGroups": ["DCR"], "cidrs": ["10.0.0.0/8"] * 101}],
         "TOO_MANY", ["0", "cidrs"]),
        ([{"action": "BLOCK", "endpointGroups": ["DCR"], "description": "a\u202eb"}], "INVALID",
         ["0", "description"]),
        ([{"action": "BLOCK", "endpointGroups": ["DCR"]}] * 51, "TOO_MANY", []),
    ],
)  # fmt: skip
def test_what_cannot_be_in_the_list(
    server: Server, rules: Any, code: str, field: list[str]
) -> None:
    refusal = root_api(server.tenant()).refused("tenantUpdate", {"accessControlList": rules})
    assert (refusal["code"], refusal["field"]) == (code, ["accessControlList", *field])


def test_nobody_locks_themselves_out(proxied: Server) -> None:
    """Judged by the address of whoever changes it; another's may be kept out."""
    tenant = proxied.tenant()
    here = root_api(tenant).sending(x_forwarded_for="198.51.100.7")
    for cidrs in ([], ["198.51.100.0/24"], ["198.51.100.7"]):
        rules = [{"action": "BLOCK", "endpointGroups": ["MANAGEMENT"], "cidrs": cidrs}]
        refusal = here.refused("tenantUpdate", {"accessControlList": rules})
        assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["accessControlList"])
    own = {"action": "ALLOW", "endpointGroups": ["MANAGEMENT"], "cidrs": ["198.51.100.7"]}
    rest = {"action": "BLOCK", "endpointGroups": ["MANAGEMENT"]}
    refusal = here.refused("tenantUpdate", {"accessControlList": [rest, own]})
    assert refusal["code"] == "NOT_ALLOWED"
    change(here, [own, rest])
    assert here.post("{ viewer { id } }").status_code == 200
    elsewhere = here.sending(x_forwarded_for="198.51.100.8")
    assert is_kept_out(elsewhere.post("{ viewer { id } }"))
    # Not even introspection, for which nobody need sign in.
    assert is_kept_out(Api(tenant, "", elsewhere.headers).post("{ __typename }"))
    everywhere = [{**rest, "endpointGroups": ["AUTHENTICATION", "TOKENS", "DCR"]}]
    assert len(change(here, everywhere)) == 1


def test_the_operator_of_the_installation_finds_the_way_back(server: Server) -> None:
    tenant = server.tenant(access_control_list=(block(),))
    assert is_kept_out(ask(tenant, EndpointGroup.MANAGEMENT))
    write = server.runtime.store.write_now
    assert write(INSTALLATION, Caller(SYSTEM), tenants.clear_access_control, tenant.name)
    assert not is_kept_out(ask(tenant, EndpointGroup.MANAGEMENT))
    assert tenant.events("tenant.updated")[0].actor_kind == "system"
    assert not write(INSTALLATION, Caller(SYSTEM), tenants.clear_access_control, "nobody")


def test_a_new_tenant_cannot_be_shut_from_the_start(server: Server) -> None:
    rules = [{"action": "BLOCK", "endpointGroups": ["MANAGEMENT"]}]
    given = {"name": "shut-from-the-start", "accessControlList": rules}
    root = root_api(server.root)
    assert root.refused("tenantCreate", given)["code"] == "NOT_ALLOWED"
    rules = [{"action": "BLOCK", "endpointGroups": ["DCR"]}]
    root.do("tenantCreate", "__typename", given | {"accessControlList": rules})


def test_it_is_in_the_configuration_document(server: Server) -> None:
    tenant = server.tenant(access_control_list=(allow("127.0.0.0/8"), block()))
    api, other = root_api(tenant), root_api(server.tenant())
    document = export(api, nouns=["tenant"])
    applied(other, document)
    shown = f"{{ tenant {{ {LIST} }} }}"
    assert other.data(shown) == api.data(shown)
    assert changes(other, export(api, nouns=["tenant"])) == []
    rules = [{"action": "BLOCK", "endpointGroups": ["MANAGEMENT"]}]
    shut = {"version": 1, "tenant": {"accessControlList": rules}}
    (refusal,) = apply(other, shut)["errors"]
    assert refusal["code"] == "NOT_ALLOWED"
    assert other.data(shown) == api.data(shown)
