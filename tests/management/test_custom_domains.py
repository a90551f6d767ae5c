"""Custom domains through the schema: registering, proving by TXT records, changing, removing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tenantry.core.ids import GlobalId
from tenantry.outbound import dns
from tenantry.store import custom_domains as stored
from tests.support.client_keys import ec_key, public_jwk, rsa_key
from tests.support.dns import BROKEN, SILENT, name_server
from tests.support.management import Api, Json, root_api
from tests.support.server import HTTPS_URL, Server, Tenant, both_databases

FIELDS = """customDomain { id revision domain type status issuer verificationMethod
    verificationName verificationValue verifiedAt customClientIpHeader domainMetadata jwks }"""
NAMES = name_server()


def name_of(api: Api) -> str:
    return f"login.{api.tenant.name}.example.org"


def decoded(id_: str) -> str:
    found = GlobalId.decode(id_)
    assert found is not None
    return found.local_id


def create(api: Api, **values: object) -> Json:
    given = {"domain": name_of(api), "type": "MANAGED_CERTS"} | values
    made: Json = api.do("customDomainCreate", FIELDS, given)["customDomain"]
    return made


def verify(api: Api, made: Json) -> Json:
    return api.do("customDomainVerify", f"{FIELDS} cnameApiKey", {"id": made["id"]})


def proven(api: Api, made: Json) -> Json:
    NAMES.say(made["verificationName"], made["verificationValue"])
    return verify(api, made)


def is_served(server: Server, domain: str) -> bool:
    answer = server.client.get(f"https://{domain}/.well-known/jwks.json")
    assert answer.status_code in {200, 403, 421}
    return answer.status_code != 421


@both_databases
def test_a_domain_from_its_beginning_to_its_end(server: Server, api: Api) -> None:
    made = create(api, domainMetadata={"public_app": "one", "tier": {"level": 2}})
    assert made == {
        "id": made["id"],
        "revision": 1,
        "domain": name_of(api),
        "type": "MANAGED_CERTS",
        "status": "PENDING",
        "issuer": f"https://{name_of(api)}/",
        "verificationMethod": "TXT",
        "verificationName": f"_tenantry.{name_of(api)}",
        "verificationValue": made["verificationValue"],
        "verifiedAt": None,
        "customClientIpHeader": None,
        "domainMetadata": {"public_app": "one", "tier": {"level": 2}},
        "jwks": None,
    }
    assert not is_served(server, made["domain"])
    ready = proven(api, made)
    assert ready["cnameApiKey"] is None
    assert ready["customDomain"]["status"] == "READY"
    assert ready["customDomain"]["verifiedAt"]
    assert is_served(server, made["domain"])
    changes = {"id": made["id"], "domainMetadata": {"tier": None, "public_web": "two"}}
    changed = api.do("customDomainUpdate", FIELDS, changes | {"expectedRevision": 2})
    assert changed["customDomain"]["domainMetadata"] == {"public_app": "one", "public_web": "two"}
    stale = api.refused("customDomainUpdate", changes | {"expectedRevision": 2})
    assert (stale["code"], stale["currentRevision"]) == ("CONFLICT", 3)
    cleared = api.do("customDomainUpdate", FIELDS, {"id": made["id"], "domainMetadata": None})
    assert cleared["customDomain"]["domainMetadata"] == {}
    query = """query($id: ID!) { node(id: $id) { ... on CustomDomain { domain } }
        customDomains(first: 5, orderBy: DOMAIN_DESC) { totalCount nodes { domain } } }"""
    found = api.data(query, id=made["id"])
    assert found["node"] == {"domain": made["domain"]}
    assert found["customDomains"] == {"totalCount": 1, "nodes": [{"domain": made["domain"]}]}
    gone = api.do("customDomainDelete", "deletedId", {"id": made["id"]})
    assert gone["deletedId"] == made["id"]
    assert not is_served(server, made["domain"])
    assert api.refused("customDomainVerify", {"id": made["id"]})["code"] == "NOT_FOUND"


def test_an_international_name_is_kept_in_ascii(api: Api) -> None:
    """RFC 5891 §4.4: as it is asked for in the DNS and in Host headers."""
    made = create(api, domain=f"BÜCHER.{name_of(api)}")
    assert made["domain"] == f"xn--bcher-kva.{name_of(api)}"
    same = {"domain": f"xn--bcher-kva.{name_of(api)}", "type": "MANAGED_CERTS"}
    assert api.refused("customDomainCreate", same)["code"] == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "example",
        "localhost",
        "app.localhost",
        "192.0.2.1",
        "[::1]",
        "a.1",
        "example.com.",
        ".example.com",
        "a..example.com",
        "-a.example.com",
        "a_b.example.com",
        "*.example.com",
        "example.com:443",
        "https://example.com",
        "example.com/path",
        "user@example.com",
        "a b.example.com",
        "a.exa\nmple.com",
        "a\u202e.example.com",
        "xn--a.example.com",
        "xn--999999999.example.com",
        "printer.local",
        "db.internal",
        "x.onion",
        "1.0.0.127.in-addr.arpa",
        f"{'a' * 64}.example.com",
        f"{'a.' * 150}com",
    ],
)
def test_what_is_no_domain(api: Api, domain: str) -> None:
    refusal = api.refused("customDomainCreate", {"domain": domain, "type": "MANAGED_CERTS"})
    assert refusal["field"] == ["domain"], refusal
    assert refusal["code"] in {"INVALID", "TOO_LONG", "REQUIRED"}


def test_hosts_of_the_installation_are_nobodys(https_server: Server) -> None:
    api = root_api(https_server.tenant())
    for domain in (HTTPS_URL.removeprefix("https://"), "acme.auth.example.com"):
        refusal = api.refused("customDomainCreate", {"domain": domain, "type": "MANAGED_CERTS"})
        assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["domain"])
    create(api, domain="a.b.auth.example.com")


@pytest.mark.parametrize(
    "changes, code, field",
    [
        ({"customClientIpHeader": "true-client-ip"}, "NOT_ALLOWED", "customClientIpHeader"),
        ({"domainMetadata": ["x"]}, "INVALID", "domainMetadata"),
        ({"domainMetadata": {"x": "y" * 17_000}}, "TOO_LONG", "domainMetadata"),
    ],
)
def test_settings_that_a_domain_cannot_have(api: Api, changes: Json, code: str, field: str) -> None:
    new = {"domain": name_of(api), "type": "MANAGED_CERTS"}
    refusal = api.refused("customDomainCreate", new | changes)
    assert (refusal["code"], refusal["field"]) == (code, [field])
    refusal = api.refused("customDomainUpdate", {"id": create(api)["id"]} | changes)
    assert (refusal["code"], refusal["field"]) == (code, [field])


@pytest.mark.parametrize(
    "header", ["", "host", "Cookie", "cname-api-key", "x-forwarded-host", "a b", "a:b", "x" * 65]
)
def test_headers_that_name_no_address(api: Api, header: str) -> None:
    new = {"domain": name_of(api), "type": "SELF_MANAGED_CERTS", "customClientIpHeader": header}
    assert api.refused("customDomainCreate", new)["field"] == ["customClientIpHeader"]


def test_the_domain_and_its_type_never_change(api: Api) -> None:
    fields = api.data('{ __type(name: "CustomDomainUpdateInput") { inputFields { name } } }')
    names = {field["name"] for field in fields["__type"]["inputFields"]}
    assert names == {"id", "expectedRevision", "customClientIpHeader", "domainMetadata"}


# --- the TXT record --------------------------------------------------------------------------


def test_the_edge_key_is_shown_once(api: Api) -> None:
    """The first verification makes it; it is in no later answer and in no log."""
    made = create(api, type="SELF_MANAGED_CERTS", customClientIpHeader="True-Client-IP")
    assert made["customClientIpHeader"] == "true-client-ip"
    too_soon = api.refused("customDomainCnameApiKeyRotate", {"id": made["id"]})
    assert too_soon["code"] == "NOT_ALLOWED"
    NAMES.say(made["verificationName"], made["verificationValue"])
    keyed = api.sending(idempotency_key="verify-once")
    key = verify(keyed, made)["cnameApiKey"]
    assert len(key) >= 43
    assert verify(keyed, made)["cnameApiKey"] == key
    again = verify(api, made)
    assert (again["cnameApiKey"], again["customDomain"]["status"]) == (None, "READY")
    rotated = api.do("customDomainCnameApiKeyRotate", f"{FIELDS} cnameApiKey", {"id": made["id"]})
    assert rotated["cnameApiKey"] not in {key, None}
    told = repr([event.details for event in api.tenant.events()])
    assert key not in told
    assert rotated["cnameApiKey"] not in told
    assert "digest" not in told
    kept = repr(api.tenant.read(stored.find, decoded(made["id"])))
    assert key not in kept
    assert rotated["cnameApiKey"] not in kept


def test_a_managed_domain_has_no_edge_key(api: Api) -> None:
    made = create(api)
    proven(api, made)
    refusal = api.refused("customDomainCnameApiKeyRotate", {"id": made["id"]})
    assert refusal["code"] == "NOT_ALLOWED"


def test_records_of_several_strings(server: Server, api: Api) -> None:
    """RFC 1035 §3.3.14, RFC 7208 §3.3: the strings of one record are one text, several are not."""
    made = create(api)
    name, value = made["verificationName"], made["verificationValue"].encode()
    wrong: list[list[tuple[bytes, ...]]] = [
        [(value[:20],), (value[20:],)],
        [(value[:20], b" ", value[20:])],
        [(value.upper(),)],
        [(value + b" ",)],
        [(b"x" * 200, b"x" * 255, value)],
        [(b"\xff", value)],
        [],
    ]
    for records in wrong:
        NAMES.records[name] = records
        assert api.refused("customDomainVerify", {"id": made["id"]})["code"] == "NOT_ALLOWED"
    NAMES.records[name] = [(b"v=spf1 -all",), (b"\xff\x00",), (value[:20], value[20:])]
    assert verify(api, made)["customDomain"]["status"] == "READY"


def test_a_long_answer_is_asked_for_by_tcp(api: Api) -> None:
    """RFC 7766 §5: what does not fit into a datagram is not lost."""
    made = create(api)
    name, value = made["verificationName"], made["verificationValue"].encode()
    other = [(b"%03d" % number + b"x" * 200,) for number in range(50)]
    NAMES.records[name] = [*other, (value,)]
    assert verify(api, made)["customDomain"]["status"] == "READY"


def test_the_record_of_another_name_or_tenant(server: Server, api: Api) -> None:
    made, other = create(api), create(root_api(server.tenant()), domain=name_of(api))
    assert other["verificationName"] == made["verificationName"]
    assert other["verificationValue"] != made["verificationValue"]
    NAMES.say(made["verificationName"], other["verificationValue"])
    NAMES.say(made["domain"], made["verificationValue"])
    refusal = api.refused("customDomainVerify", {"id": made["id"]})
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["id"])
    assert made["verificationName"] in refusal["message"]


def test_a_name_that_does_not_exist(api: Api) -> None:
    """NXDOMAIN."""
    made = create(api)
    with api.tenant.server.stores_nothing():
        assert "no TXT record" in api.refused("customDomainVerify", {"id": made["id"]})["message"]
    assert NAMES.asked[-1] == made["verificationName"]


@pytest.mark.parametrize("fault", [SILENT, BROKEN])
def test_a_dns_that_does_not_say(server: Server, api: Api, fault: str) -> None:
    """Neither is the domain proven, nor is it taken away: it is to be tried again, soon."""
    made = create(api)
    NAMES.say(made["verificationName"], made["verificationValue"])
    NAMES.faults[made["verificationName"]] = fault
    began = time.monotonic()
    refusal = api.refused("customDomainVerify", {"id": made["id"]})
    assert time.monotonic() - began < dns.LIFETIME + 2
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["id"])
    assert "try again" in refusal["message"]
    del NAMES.faults[made["verificationName"]]
    verify(api, made)
    NAMES.faults[made["verificationName"]] = fault
    assert "try again" in api.refused("customDomainVerify", {"id": made["id"]})["message"]
    assert is_served(server, made["domain"])


def test_the_first_that_proves_a_domain_has_it(server: Server, api: Api) -> None:
    """Others may wait for it, and have it once it is given up."""
    other = root_api(server.tenant())
    made, waiting = create(api), create(other, domain=name_of(api))
    NAMES.say(made["verificationName"], made["verificationValue"], waiting["verificationValue"])
    verify(api, made)
    refusal = other.refused("customDomainVerify", {"id": waiting["id"]})
    assert (refusal["code"], refusal["field"]) == ("ALREADY_EXISTS", ["id"])
    pending = other.data("{ customDomains(first: 1) { nodes { status verifiedAt } } }")
    assert pending["customDomains"]["nodes"] == [{"status": "PENDING", "verifiedAt": None}]
    keys = server.client.get(f"https://{made['domain']}/.well-known/jwks.json").json()
    assert keys == api.tenant.jwks()
    api.do("customDomainDelete", "deletedId", {"id": made["id"]})
    verify(other, waiting)
    keys = server.client.get(f"https://{made['domain']}/.well-known/jwks.json").json()
    assert keys == other.tenant.jwks()


def test_a_ready_domain_that_has_lost_its_record(server: Server, api: Api) -> None:
    """Verified again it is disabled at once, and free; and ready again with its record."""
    made = create(api, type="SELF_MANAGED_CERTS")
    key = proven(api, made)["cnameApiKey"]
    NAMES.say(made["verificationName"], "something else")
    assert is_served(server, made["domain"])
    lost = verify(api, made)
    assert lost["customDomain"]["status"] == "DISABLED"
    assert not is_served(server, made["domain"])
    assert api.refused("customDomainVerify", {"id": made["id"]})["code"] == "NOT_ALLOWED"
    again = proven(api, made)
    assert (again["customDomain"]["status"], again["cnameApiKey"]) == ("READY", None)
    answer = server.client.get(
        f"https://{made['domain']}/.well-known/jwks.json", headers={"cname-api-key": key}
    )
    assert answer.status_code == 200
    NAMES.say(made["verificationName"], "something else")
    verify(api, made)
    other = root_api(server.tenant())
    proven(other, create(other, domain=made["domain"]))
    NAMES.say(made["verificationName"], made["verificationValue"])
    assert api.refused("customDomainVerify", {"id": made["id"]})["code"] == "ALREADY_EXISTS"


# --- keys, scopes ----------------------------------------------------------------------------


def test_keys_are_set_read_and_deleted(api: Api) -> None:
    """As a whole, at most ten."""
    made = create(api)
    jwks = {"keys": [public_jwk(rsa_key(), f"k{n}") for n in range(10)]}
    put = {"id": made["id"], "jwks": jwks}
    assert api.do("customDomainJwksSet", FIELDS, put)["customDomain"]["jwks"] == jwks
    smaller = {"keys": [public_jwk(ec_key(), "new", use="sig")]}
    put = {"id": made["id"], "jwks": smaller}
    assert api.do("customDomainJwksSet", FIELDS, put)["customDomain"]["jwks"] == smaller
    gone = api.do("customDomainJwksDelete", FIELDS, {"id": made["id"]})
    assert gone["customDomain"]["jwks"] is None


def test_keys_that_cannot_be_published(api: Api) -> None:
    made = create(api)
    own = api.tenant.jwks()["keys"][0]["kid"]
    good = public_jwk(rsa_key(), "good")
    for keys, code in (
        ([public_jwk(rsa_key(), f"k{n}") for n in range(11)], "TOO_MANY"),
        ([], "INVALID"),
        ([good, public_jwk(rsa_key(), None)], "REQUIRED"),
        ([good, good], "INVALID"),
        ([public_jwk(rsa_key(), own)], "ALREADY_EXISTS"),
        ([public_jwk(rsa_key(), "enc", use="enc")], "INVALID"),
        ([good | {"d": "AQAB"}], "INVALID"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}], "INVALID"),
        (["x"], "INVALID"),
    ):
        refusal = api.refused("customDomainJwksSet", {"id": made["id"], "jwks": {"keys": keys}})
        assert (refusal["code"], refusal["field"][0]) == (code, "jwks")
    assert api.refused("customDomainJwksSet", {"id": made["id"], "jwks": "x"})["code"] == "INVALID"


def test_each_needs_its_scope(api: Api, limited: Callable[..., Api]) -> None:
    made = create(api)
    NAMES.say(made["verificationName"], made["verificationValue"])
    mutations = {
        "customDomainCreate": "create:custom_domains",
        "customDomainUpdate": "update:custom_domains",
        "customDomainCnameApiKeyRotate": "update:custom_domains",
        "customDomainJwksSet": "update:custom_domains",
        "customDomainJwksDelete": "update:custom_domains",
        "customDomainDelete": "delete:custom_domains",
    }
    reader = limited("read:custom_domains")
    assert reader.data("{ customDomains(first: 1) { nodes { domain } } }")["customDomains"]
    for mutation in (*mutations, "customDomainVerify"):
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        given: Json = {"id": made["id"]}
        if mutation == "customDomainCreate":
            given = {"domain": "x.example.org", "type": "MANAGED_CERTS"}
        elif mutation == "customDomainJwksSet":
            given |= {"jwks": {"keys": []}}
        query = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
        assert reader.error(query, input=given)["code"] == "FORBIDDEN"
    for scope in ("create:custom_domains", "update:custom_domains"):
        assert verify(limited(scope), made)["customDomain"]["status"] == "READY"


def test_another_tenants_domain_is_not_found(server: Server, api: Api) -> None:
    made = create(root_api(server.tenant()), domain=name_of(api))
    for mutation in (
        "customDomainUpdate",
        "customDomainVerify",
        "customDomainCnameApiKeyRotate",
        "customDomainJwksDelete",
        "customDomainDelete",
    ):
        refusal = api.refused(mutation, {"id": made["id"]})
        assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["id"])
    assert made["verificationName"] not in NAMES.asked


def test_a_tenant_with_a_domain_is_found_by_no_other_name(tenant: Tenant) -> None:
    """The issuer of the tenant stays the canonical one, as does its management identifier."""
    api = root_api(tenant)
    before = api.data("{ tenant { issuer managementIdentifier } }")
    proven(api, create(api))
    assert api.data("{ tenant { issuer managementIdentifier } }") == before
