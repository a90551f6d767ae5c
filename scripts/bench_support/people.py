"""People who sign in, an application that they trust, and the tokens that it gets for them."""

import json
import re
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

from bench_support.http import post_form
from bench_support.management import (
    APPLICATION,
    RESOURCE_SERVER,
    TENANT,
    Credentials,
    Management,
)
from bench_support.server import BenchError

USER = ("userCreate", "UserCreateInput", "user { id } errors { code field message }")
API = "https://people.bench.example.com/"
REDIRECT_URI = "https://client.example.com/callback"
CONNECTION = "Username-Password-Authentication"
PASSWORD = "correct horse battery staple"
SCOPE = "openid profile email offline_access read:things"
PEOPLE = 20


@dataclass(frozen=True)
class Tokens:
    """What the application got for one person."""

    access_token: str
    refresh_token: str


@dataclass(frozen=True)
class People:
    """A web application of the tenant's owner, and the people who sign in to it."""

    port: int
    application: Credentials

    def password_form(self, person: int) -> dict[str, str]:
        return {
            **self.application.fields(),
            "grant_type": "password",
            "username": _email(person),
            "password": PASSWORD,
            "scope": SCOPE,
        }

    def tokens(self, person: int = 0) -> Tokens:
        status, body = post_form(self.port, "/oauth/token", self.password_form(person))
        if status != 200:
            raise BenchError(f"the password grant answered {status}: {body[:2000]!r}")
        answer = json.loads(body)
        return Tokens(answer["access_token"], answer["refresh_token"])

    def authorization(self) -> dict[str, str]:
        """An authorization request, but for PKCE."""
        return {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "audience": API,
            "code_challenge_method": "S256",
        }

    def sign_in(self, person: int) -> str:
        """Signs in on the login page; the value of the Cookie header from then on."""
        cookies: dict[str, str] = {}
        asked = {**self.authorization(), "code_challenge": "x" * 43}
        page = self._send("GET", f"/authorize?{urlencode(asked)}", None, cookies)
        form = urlsplit(page.headers["location"])
        html = self._send("GET", f"{form.path}?{form.query}", None, cookies).read().decode()
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
        posted = {name: unescape(value) for name, value in hidden}
        posted |= {"username": _email(person), "password": PASSWORD}
        done = self._send("POST", f"{form.path}?{form.query}", posted, cookies)
        if not done.headers.get("location", "").startswith(REDIRECT_URI):
            raise BenchError(f"the login page answered {done.status}")
        return "; ".join(f"{name}={value}" for name, value in cookies.items())

    def _send(
        self, method: str, target: str, form: dict[str, str] | None, cookies: dict[str, str]
    ) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = urlencode(form) if form else None
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        for header in response.headers.get_all("set-cookie", []):
            name, _, value = header.partition(";")[0].partition("=")
            cookies[name] = value
        return response


def create_people(port: int, management: Management) -> People:
    """An API whose tokens may be refreshed, an application that may all, and its people."""
    management.mutate(
        RESOURCE_SERVER,
        [
            {
                "name": "Bench, people",
                "identifier": API,
                "scopes": [{"value": "read:things", "description": "Read things"}],
                "allowOfflineAccess": True,
                "userAccessPolicy": "ALLOW_ALL",
            }
        ],
    )
    made = management.mutate(
        APPLICATION,
        [
            {
                "name": "Web",
                "applicationType": "REGULAR_WEB",
                "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "PASSWORD"],
                "redirectUris": [REDIRECT_URI],
                "isFirstParty": True,
                "refreshTokenRotation": True,
                "connections": [CONNECTION],
            }
        ],
    )[0]
    management.mutate(
        USER,
        [
            {"connection": CONNECTION, "email": _email(number), "password": PASSWORD}
            for number in range(PEOPLE)
        ],
    )
    management.mutate(TENANT, [{"defaultDirectory": CONNECTION}])
    application = Credentials(made["application"]["clientId"], made["clientSecret"], API)
    return People(port, application)


def _email(person: int) -> str:
    return f"person-{person % PEOPLE}@example.com"
