"""What `authorizationExplain` says is what the endpoints do: requests at random, to both."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2
import pytest

from tenantry.core.facts import DATABASE_CONNECTION, GrantType, UserFacts
from tests.support.client_keys import rsa_key, signed
from tests.support.jwt import claims_of
from tests.support.management import Api, root_api
from tests.support.server import PASSWORD, Client, Server
from tests.support.worlds import (
    IDENTITY,
    ISSUERS,
    OTHER_CONNECTION,
    SCOPES,
    World,
    allowed,
    make_world,
    some,
)

Json = dict[str, Any]
EXPLAIN = """query($clientId: String!, $grantType: GrantType!, $audience: String,
  $scopes: [String!], $userId: String, $organization: String,
  $responseType: ResponseTypeName, $redirectUri: String,
  $connection: String, $assertionIssuer: String, $presentedScopes: [String!],
  $proofOfPossession: ProofOfPossession) {
  authorizationExplain(clientId: $clientId, grantType: $grantType, audience: $audience,
    scopes: $scopes, userId: $userId, organization: $organization,
    responseType: $responseType, redirectUri: $redirectUri,
    connection: $connection, assertionIssuer: $assertionIssuer,
    presentedScopes: $presentedScopes, proofOfPossession: $proofOfPossession) {
      issued error errorDescription rules { name passed setting description }
      audience scopes consentRequired consentScopes accessTokenLifetime idTokenLifetime
      refreshToken refreshTokenLifetime accessToken idToken userinfo } }"""
OF_THE_MOMENT = {"iat", "exp", "jti", "auth_time", "sid", "nonce", "acr", "amr"} | {
    "at_hash",
    "c_hash",
    "s_hash",
    "act",
    "updated_at",
}
_ATTEMPTS = 9
"""How often a password may fail for a name, within the bound."""


def lasting(claims: Json) -> Json:
    """`updated_at` moves with each login."""
    return {name: value for name, value in claims.items() if name not in OF_THE_MOMENT}


@dataclass(frozen=True)
class Held:
    """Tokens from before, and whose they are."""

    client: Client
    user: UserFacts
    audience: str | None
    organization: str | None
    tokens: Json

    @property
    def scopes(self) -> list[str]:
        found: list[str] = self.tokens["scope"].split()
        return found


@dataclass
class Requests:
    """Makes requests about one world, and compares both answers to each."""

    world: World
    api: Api
    random: Random
    held: list[Held] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def one(self) -> None:
        kinds = (self.machine, self.password, self.realm, self.assertion, self.refresh)
        self.random.choices((*kinds, self.exchange), (6, 2, 2, 2, 2, 2))[0]()

    def machine(self) -> None:
        grant_type = GrantType.CLIENT_CREDENTIALS
        named = self._organization()
        sent = self._asked(SCOPES) | named
        self._compare(self._client(grant_type), grant_type, sent, named)

    def password(self) -> None:
        self._password(GrantType.PASSWORD, {}, {})

    def realm(self) -> None:
        realm = self.random.choice((DATABASE_CONNECTION, OTHER_CONNECTION, "unknown"))
        self._password(GrantType.PASSWORD_REALM, {"realm": realm}, {"connection": realm})

    def _password(self, grant_type: GrantType, fields: Json, said: Json) -> None:
        user, client = self._user(), self._client(grant_type)
        if self.failures[user.id] >= _ATTEMPTS:
            return
        asked, named = self._asked(), self._organization()
        said = said | named
        sent = asked | named | fields | {"username": user.email or "", "password": PASSWORD}
        answer = self._compare(client, grant_type, sent, said | {"userId": user.id})
        error = answer.get("error")
        if error is None:
            within = claims_of(answer["access_token"]).get("org_id")
            self.held.append(Held(client, user, asked.get("audience"), within, answer))
        # A right password ends the count, whatever is decided afterwards.
        if error == "invalid_grant":
            self.failures[user.id] += 1
        elif error in {None, "access_denied", "invalid_target"}:
            self.failures[user.id] = 0

    def assertion(self) -> None:
        issuer, user = self.random.choice((*ISSUERS, "https://x")), self._user()
        now = int(time.time())
        named = user.id if issuer == ISSUERS[0] else user.email
        claims = {"iss": issuer, "sub": named, "aud": self.world.tenant.issuer, "iat": now}
        claims |= {"exp": now + 300, "jti": secrets.token_urlsafe(16)}
        sent = self._asked() | {"assertion": signed(claims, rsa_key())}
        said = {"userId": user.id, "assertionIssuer": issuer}
        self._compare(self._client(GrantType.JWT_BEARER), GrantType.JWT_BEARER, sent, said)

    def refresh(self) -> None:
        candidates = [held for held in self.held if "refresh_token" in held.tokens]
        if not candidates:
            return
        held = self.random.choice(candidates)
        self.held.remove(held)
        wanted = some(self.random, (*held.scopes, "other"), 0.3)
        sent = {"refresh_token": held.tokens["refresh_token"], "scope": " ".join(wanted)}
        said: Json = {"userId": held.user.id, "presentedScopes": held.scopes}
        said |= {"organization": held.organization}
        self._compare(
            held.client, GrantType.REFRESH_TOKEN, sent, said | {"audience": held.audience}
        )

    def exchange(self) -> None:
        candidates = [held for held in self.held if self._is_readable(held)]
        if not candidates:
            return
        held = self.random.choice(candidates)
        sent = self._asked(SCOPES) | {
            "subject_token": held.tokens["access_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        presented = claims_of(held.tokens["access_token"]).get("scope", "").split()
        said: Json = {"userId": held.user.id, "presentedScopes": presented}
        said |= {"organization": held.organization}
        self._compare(self._client(GrantType.TOKEN_EXCHANGE), GrantType.TOKEN_EXCHANGE, sent, said)

    def _is_readable(self, held: Held) -> bool:
        """An API that signs by a secret of its own keeps its tokens to itself."""
        audience = claims_of(held.tokens["access_token"])["aud"]
        secret = {api.identifier for api in self.world.apis if api.signing_alg.is_symmetric}
        return not secret & {audience if isinstance(audience, str) else audience[0]}

    def change(self) -> None:
        """Something happens between the requests."""
        client, first_party = self._client(), self.random.random() < 0.75
        position = self.world.clients.index(client)
        grant_types = some(self.random, client.facts.grant_types, 0.9)
        self.world.clients[position] = self.world.tenant.change_application(
            client,
            is_first_party=first_party,
            grant_types=allowed(grant_types, first_party=first_party),
        )

    def _client(self, grant_type: GrantType | None = None) -> Client:
        """Mostly one that may use the grant type."""
        able = [each for each in self.world.clients if grant_type in each.facts.grant_types]
        if able and self.random.random() < 0.85:
            return self.random.choice(able)
        return self.random.choice(self.world.clients)

    def _organization(self) -> Json:
        """Mostly none; by its id, by its name, or one that is not there."""
        if self.random.random() < 0.75:
            return {}
        found = self.random.choice(self.world.organizations)
        return {"organization": self.random.choice((found.id, found.id, found.name, "unknown"))}

    def _user(self) -> UserFacts:
        return self.random.choice(self.world.users)

    def _asked(self, scopes: tuple[str, ...] = (*SCOPES, *IDENTITY)) -> Json:
        fields: Json = {}
        audience = self.random.choice(
            (None, "https://unknown.example.com", *self.world.audiences * 3)
        )
        if audience is not None:
            fields["audience"] = audience
        if self.random.random() < 0.8:
            fields["scope"] = " ".join(some(self.random, scopes, 0.4))
        return fields

    def _compare(self, client: Client, grant_type: GrantType, sent: Json, said: Json) -> Json:
        """Both answers to one request, and that of the token endpoint."""
        variables = {
            "clientId": client.id,
            "grantType": grant_type.name,
            "audience": sent.get("audience"),
            "scopes": sent.get("scope", "").split(),
        } | said
        # Counting every table takes longer than what is counted.
        counted = self.random.random() < 0.1
        with self.world.tenant.server.stores_nothing() if counted else nullcontext():
            found = self.api.data(EXPLAIN, **variables)["authorizationExplain"]
        answer = self.world.tenant.token(client, grant_type=grant_type.value, **sent)
        label = {"sent": sent, "said": variables, "found": found, "answer": answer.text}
        self.seen[grant_type.name, found["error"] or "issued"] += 1
        compare(found, answer, label)
        given: Json = answer.json()
        return given


def compare(found: Json, answer: httpx2.Response, label: Json) -> Json | None:
    given: Json = answer.json()
    refusal = (given.get("error"), given.get("error_description"))
    assert (found["error"], found["errorDescription"]) == refusal, label
    assert found["issued"] == (answer.status_code == 200), label
    if answer.status_code != 200:
        assert found["rules"] == [] or not found["rules"][-1]["passed"], label
        assert (found["accessToken"], found["idToken"]) == (None, None), label
        return None
    assert " ".join(found["scopes"]) == given["scope"], label
    assert given["expires_in"] <= found["accessTokenLifetime"], label
    if "issued_token_type" not in given:
        assert given["expires_in"] == found["accessTokenLifetime"], label
    assert found["refreshToken"] == ("refresh_token" in given), label
    claims = claims_of(given["access_token"])
    assert lasting(found["accessToken"]) == lasting(claims), label
    audience = claims["aud"]
    assert found["audience"] == ([audience] if isinstance(audience, str) else audience), label
    assert (found["idToken"] is not None) == ("id_token" in given), label
    if "id_token" in given:
        told = claims_of(given["id_token"])
        assert lasting(found["idToken"]) == lasting(told), label
        assert told["exp"] - told["iat"] == found["idTokenLifetime"], label
    return given


def run(server: Server, seed: int, requests: int) -> Counter[tuple[str, str]]:
    random = Random(seed)
    made = make_world(server, random)
    asking = Requests(made, root_api(made.tenant), random)
    for number in itertools.count():
        if sum(asking.seen.values()) == requests:
            break
        if number % 20 == 19:
            asking.change()
        asking.one()
    return asking.seen


def test_the_explanation_is_what_happens(server: Server) -> None:
    """A sample of what the long run asks."""
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(4):
        seen += run(server, seed, 50)
    kinds = {kind for kind, _ in seen}
    assert len(kinds) >= 5, seen
    assert {"issued", "unauthorized_client", "access_denied", "invalid_target"} <= {
        outcome for _, outcome in seen
    }, seen


@pytest.mark.full
@pytest.mark.parametrize("first", range(100, 150, 5))
def test_ten_thousand_explanations_are_what_happens(server: Server, first: int) -> None:
    """A thousand in each of ten parts."""
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(first, first + 5):
        seen += run(server, seed, 200)
    assert sum(seen.values()) == 1_000, seen
    issued, refused = (
        {kind for kind, outcome in seen if (outcome == "issued") == given}
        for given in (True, False)
    )
    assert len(issued) >= 5, seen
    assert len(refused) >= 5, seen
