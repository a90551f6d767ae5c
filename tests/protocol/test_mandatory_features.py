"""OpenID Connect Core §15.1: what every provider does, in each response type and mode."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tenantry.core.facts import Address, UserFacts
from tenantry.rules.claims import CLAIMS_OF_SCOPE
from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.flow import Asked, Granted, Parameters, authorize, log_in, request_for
from tests.support.server import CALLBACK, Client, Server, Tenant

CASES: tuple[tuple[str, str | None], ...] = (
    ("code", None),
    ("id_token", None),
    ("id_token token", None),
    ("code id_token", None),
    ("code token", None),
    ("code id_token token", None),
    ("code", "form_post"),
    ("id_token token", "form_post"),
    ("code id_token token", "form_post"),
)
# §2, and what §3.3.2.11, Back-Channel Logout §3 and RFC 8176 add: claims of no person's profile.
PROTOCOL = {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"} | {
    "at_hash",
    "c_hash",
    "s_hash",
}
FULL: dict[str, Any] = {
    "name": "Ann Example",
    "given_name": "Ann",
    "family_name": "Example",
    "middle_name": "M.",
    "nickname": "annie",
    "preferred_username": "ann",
    "profile": "https://ann.example.com/",
    "picture": "https://ann.example.com/ann.png",
    "website": "https://ann.example.com/blog",
    "gender": "female",
    "birthdate": "1990-05-17",
    "zoneinfo": "Europe/Berlin",
    "locale": "de-DE",
    "email_verified": True,
    "phone_number": "+4930123456",
    "phone_number_verified": True,
    "address": Address(
        formatted="Weg 1\n10115 Berlin",
        street_address="Weg 1",
        locality="Berlin",
        region="Berlin",
        postal_code="10115",
        country="DE",
    ),
}


@dataclass(frozen=True)
class Party:
    """A relying party of one response type and mode, with a person's browser."""

    tenant: Tenant
    browser: Browser
    client: Client
    user: UserFacts
    response_type: str
    response_mode: str | None

    @property
    def words(self) -> set[str]:
        return set(self.response_type.split())

    def ask(self, **changes: str | None) -> tuple[Asked, Page]:
        given = {
            "response_type": self.response_type,
            "response_mode": self.response_mode,
            "scope": "openid",
            "code_challenge": None,
            "code_challenge_method": None,
        }
        asked = request_for(self.client, **(given | changes))
        return asked, authorize(self.browser, self.tenant, asked.parameters)

    def signed_in(self, **changes: str | None) -> Told:
        """Through the login page if there is one."""
        asked, page = self.ask(**changes)
        return self.told(asked, log_in(self.browser, page) if page.title == "Log in" else page)

    def told(self, asked: Asked, page: Page) -> Told:
        return Told(self, asked, self.answer(page))

    def answer(self, page: Page) -> Parameters:
        """The answer, checked to have come in the mode that was asked for."""
        if self.response_mode == "form_post":
            assert page.status == 200
            assert "response-form" in page.forms, (page.title, page.left_for)
            page = self.browser.submit(page, "response-form")
            assert page.left_for == CALLBACK
            return page.posted
        mark = "?" if self.words == {"code"} else "#"
        assert page.left_for.startswith(f"{CALLBACK}{mark}"), page.left_for
        return page.answer


@dataclass(frozen=True)
class Told:
    """A successful answer, and what the endpoints say for it."""

    party: Party
    asked: Asked
    answer: Parameters

    @property
    def granted(self) -> Granted:
        return Granted(self.party.tenant, self.party.client, self.asked, self.answer)

    def tokens(self) -> dict[str, Any]:
        """Those of the code, or else those of the answer."""
        assert "error" not in self.answer, self.answer
        return self.granted.tokens() if "code" in self.answer else dict(self.answer)

    def claims(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the ID token says, and what userinfo does where there is an access token."""
        tokens = self.tokens()
        header, claims = jwt.verify(tokens["id_token"], self.party.tenant.jwks())
        assert header["kid"]
        assert claims["iss"] == self.party.tenant.issuer
        if "access_token" not in tokens:
            return claims, {}
        answer = self.party.tenant.userinfo(tokens["access_token"])
        assert answer.status_code == 200
        assert answer.json()["sub"] == claims["sub"]
        return claims, answer.json()


@pytest.fixture(params=CASES, ids=lambda case: " as ".join(filter(None, case)))
def party(request: pytest.FixtureRequest, tenant: Tenant, browser: Browser) -> Party:
    grants = ("authorization_code", "implicit", "refresh_token")
    client = tenant.application(grant_types=grants)
    return Party(tenant, browser, client, tenant.user(**FULL), *request.param)


with_code = pytest.mark.parametrize(
    "party", [case for case in CASES if "code" in case[0]], indirect=True, ids=str
)


@pytest.mark.parametrize("scope", [*CLAIMS_OF_SCOPE, "all"])
def test_scopes(party: Party, scope: str) -> None:
    """§5.4: exactly the claims of the scope, in userinfo, or in the ID token where it is alone."""
    scopes = list(CLAIMS_OF_SCOPE) if scope == "all" else [scope]
    told = party.signed_in(scope=" ".join([*scopes, "openid"]))
    id_token, userinfo = told.claims()
    expected = {name for each in scopes for name in CLAIMS_OF_SCOPE[each]}
    alone = party.words == {"id_token"}
    said = id_token if alone else userinfo
    assert said.keys() - PROTOCOL == expected
    assert alone or not id_token.keys() - PROTOCOL
    # §5.1: the type of each claim.
    for name in expected:
        kind = {"address": dict, "updated_at": int}.get(name, str)
        assert type(said[name]) is (bool if name.endswith("_verified") else kind), name
    if "address" in expected:
        assert said["address"]["formatted"] == "Weg 1\n10115 Berlin"
        assert len(said["address"]) == 6


def test_nonce(party: Party) -> None:
    """§3.1.2.1 and §3.2.2.1: needed where the answer itself carries an ID token."""
    asked, page = party.ask(nonce=None)
    if "id_token" in party.words:
        answer = party.answer(page)
        assert answer["error"] == "invalid_request"
        assert answer["state"] == asked.state
        assert answer.keys() <= {"error", "error_description", "state", "iss", "session_state"}
    else:
        claims, _ = party.told(asked, log_in(party.browser, page)).claims()
        assert "nonce" not in claims


def test_prompt(party: Party) -> None:
    """§3.1.2.1 and §3.1.2.6: none never asks, login always does; `id_token_hint` is understood."""
    state = "s" * 128
    _, page = party.ask(prompt="none", state=state)
    refused = party.answer(page)
    assert refused["error"] == "login_required"
    assert refused["state"] == state
    first, _ = party.signed_in().claims()
    hint = party.signed_in().tokens()["id_token"]
    party.tenant.server.clock.advance(5)
    for changes in ({}, {"id_token_hint": hint}, {"max_age": "10000"}):
        asked, page = party.ask(**({} if "max_age" in changes else {"prompt": "none"}), **changes)
        again, _ = party.told(asked, page).claims()
        assert (again["sub"], again["auth_time"]) == (first["sub"], first["auth_time"])
    asked, page = party.ask(prompt="login")
    anew, _ = party.told(asked, log_in(party.browser, page)).claims()
    assert anew["auth_time"] > first["auth_time"]


def test_max_age(party: Party) -> None:
    """§2 and §3.1.2.1: an older sign-in is repeated, and the ID token says when."""
    first, _ = party.signed_in().claims()
    party.tenant.server.clock.advance(2)
    asked, page = party.ask(max_age="1")
    second, _ = party.told(asked, log_in(party.browser, page)).claims()
    assert second["auth_time"] > first["auth_time"]
    assert second["iat"] - second["auth_time"] <= 1


def test_acr_values(party: Party) -> None:
    """§3.1.2.1: those that Discovery names are met, others are no error."""
    url = party.tenant.url(".well-known/openid-configuration")
    supported = party.tenant.server.client.get(url).json()["acr_values_supported"]
    claims, _ = party.signed_in(acr_values=" ".join(supported)).claims()
    assert claims["acr"] in supported
    claims, _ = party.signed_in(acr_values="1 2").claims()
    assert claims["acr"] in supported


def test_essential_claim(party: Party) -> None:
    """§5.5.1: released where it was asked for, and nowhere else."""
    place = "id_token" if party.words == {"id_token"} else "userinfo"
    claims = json.dumps({place: {"name": {"essential": True}}})
    id_token, userinfo = party.signed_in(claims=claims).claims()
    said, other = (id_token, userinfo) if place == "id_token" else (userinfo, id_token)
    assert said["name"] == "Ann Example"
    assert "name" not in other


def test_parameters_that_never_fail(party: Party) -> None:
    """§3.1.2.1: what is not understood is ignored."""
    for changes in (
        {"display": "page"},
        {"display": "popup", "prompt": "login"},
        {"ui_locales": "fr-CA fr en"},
        {"claims_locales": "fr-CA fr en"},
        {"login_hint": "somebody@example.com"},
        {"extra": "foobar"},
    ):
        claims, _ = party.signed_in(**changes).claims()
        assert claims["sub"] == party.user.id


def test_two_tabs(party: Party) -> None:
    """§3.1.2.3: two requests of one browser, answered in the other order, keep apart."""
    first, page = party.ask()
    second, other = party.ask()
    answered = party.told(second, log_in(party.browser, other))
    for told in (answered, party.told(first, log_in(party.browser, page))):
        assert told.answer["state"] == told.asked.state
        assert told.claims()[0]["sub"] == party.user.id


def test_post(party: Party) -> None:
    """§3.1.2.1: "MUST support the use of the HTTP GET and POST methods"."""
    asked, _ = party.ask(prompt="consent")
    page = party.browser.post(party.tenant.url("authorize"), asked.parameters)
    page = log_in(party.browser, page)
    page = party.browser.submit(page, "consent-form", press="consent-allow")
    claims, _ = party.told(asked, page).claims()
    assert claims["nonce"] == asked.nonce


def test_redirect_uri(party: Party) -> None:
    """§3.1.2.1: compared exactly, the query included; a page tells, and nobody is redirected."""
    for uri in (f"{CALLBACK}/other", f"{CALLBACK}?a=b", "https://elsewhere.example/"):
        _, page = party.ask(redirect_uri=uri)
        assert page.error == "invalid_request"
    _, page = party.ask(redirect_uri=None)
    assert page.error == "invalid_request"


def test_response_type_is_missing(party: Party) -> None:
    """RFC 6749 §3.1.1: an error at the redirect URI, in the query unless a mode was named."""
    asked, page = party.ask(response_type=None)
    if party.response_mode == "form_post":
        answer = party.answer(page)
    else:
        assert page.left_for.startswith(f"{CALLBACK}?")
        answer = page.answer
    assert answer["error"] == "invalid_request"
    assert answer["state"] == asked.state


@with_code
def test_replayed_code(party: Party) -> None:
    """RFC 6749 §4.1.2: half a minute later the code is refused and its tokens are revoked."""
    told = party.signed_in()
    token = told.granted.tokens()["access_token"]
    party.tenant.server.clock.advance(30)
    again = told.granted.redeem()
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert party.tenant.userinfo(token).status_code == 401


@with_code
def test_refresh_token_of_another(server: Server, party: Party) -> None:
    """RFC 6749 §6 and Core §12.2: bound to the application; the new ID token keeps what it must."""
    asked, page = party.ask(scope="openid offline_access", prompt="consent")
    page = log_in(party.browser, page)
    page = party.browser.submit(page, "consent-form", press="consent-allow")
    tokens = party.told(asked, page).tokens()
    server.clock.advance(1)
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    other = party.tenant.application(grant_types=("authorization_code", "refresh_token"))
    refused = party.tenant.token(other, **fields)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    answer = party.tenant.token(party.client, **fields, scope="openid offline_access")
    assert answer.status_code == 200
    first, second = (jwt.claims_of(each["id_token"]) for each in (tokens, answer.json()))
    for name in ("iss", "sub", "aud", "auth_time"):
        assert first[name] == second[name]
    assert second["iat"] > first["iat"]
    assert "azp" not in second
    assert party.tenant.userinfo(answer.json()["access_token"]).status_code == 200
