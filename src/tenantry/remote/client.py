"""The management API of one tenant, with a token of one's own or by client credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2

_SECONDS = 300.0
_MEMBERS = frozenset({"access_token", "data", "error", "errors"})
_EXPORT = """query($format: ConfigurationFormat!, $nouns: [String!], $users: [String!]) {
  configurationExport(format: $format, nouns: $nouns, users: $users) { document } }"""
_PLAN_FIELDS = """plan { hash requiredScopes kept { noun key }
  changes { action noun key fields { field before after } } }
  errors { code field message }"""
_PLAN = f"""query($input: ConfigurationPlanInput!) {{
  configurationPlan(input: $input) {{ {_PLAN_FIELDS} }} }}"""
_APPLY = f"""mutation($input: ConfigurationApplyInput!) {{
  configurationApply(input: $input) {{ {_PLAN_FIELDS}
    made {{ noun key clientId secret }} }} }}"""


class RemoteError(Exception):
    """The server was not reached, or did not do what it was asked. The text is for people."""


@dataclass(frozen=True, slots=True)
class Access:
    """The tenant's issuer, and who asks: a token, or an application of `token_issuer`."""

    issuer: str
    token: str = ""
    client_id: str = ""
    client_secret: str = ""
    token_issuer: str = ""


class Remote:
    """Requests to one tenant. Redirects are not followed: a token goes to its issuer alone."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._issuer = access.issuer.rstrip("/") + "/"
        self._client = httpx2.Client(timeout=_SECONDS)
        self._token = access.token

    def close(self) -> None:
        self._client.close()

    def export(self, form: str, nouns: list[str] | None, users: list[str] | None) -> str:
        given = {"format": form.upper(), "nouns": nouns, "users": users}
        data = self._ask(_EXPORT, given)
        document: str = data["configurationExport"]["document"]
        return document

    def plan(self, input: dict[str, Any]) -> dict[str, Any]:
        payload: dict[str, Any] = self._ask(_PLAN, {"input": input})["configurationPlan"]
        return payload

    def apply(self, input: dict[str, Any]) -> dict[str, Any]:
        payload: dict[str, Any] = self._ask(_APPLY, {"input": input})["configurationApply"]
        return payload

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        token = self._token or self._new_token()
        body = self._post(
            "graphql",
            self._issuer,
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token}"},
        )
        errors = body.get("errors")
        if errors:
            raise RemoteError("\n".join(_sentence(error) for error in errors))
        data: dict[str, Any] = body["data"]
        return data

    def _new_token(self) -> str:
        access = self._access
        if not access.client_id or not access.client_secret:
            raise RemoteError("Name a token, or a client id and a client secret.")
        form = {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.client_secret,
            "audience": f"{self._issuer}graphql",
        }
        issuer = (access.token_issuer or self._issuer).rstrip("/") + "/"
        body = self._post("oauth/token", issuer, data=form)
        if "access_token" not in body:
            reason = body.get("error_description") or body.get("error") or "no token came back"
            raise RemoteError(f"The server refused a token: {reason}")
        self._token = str(body["access_token"])
        return self._token

    def _post(self, path: str, issuer: str, **arguments: Any) -> dict[str, Any]:
        url = issuer + path
        try:
            response = self._client.post(url, **arguments)
        except httpx2.HTTPError as error:
            raise RemoteError(f"{url} was not reached: {error}") from error
        except httpx2.InvalidURL as error:
            raise RemoteError(f"{url} is no address: {error}") from error
        try:
            body = response.json()
        except ValueError as error:
            message = f"{url} answered {response.status_code}, and no JSON: is it the issuer?"
            raise RemoteError(message) from error
        if not isinstance(body, dict) or _MEMBERS.isdisjoint(body):
            raise RemoteError(f"{url} answered {response.status_code} with something else.")
        return body


def _sentence(error: dict[str, Any]) -> str:
    scopes = (error.get("extensions") or {}).get("requiredScopes")
    needed = f" Required scopes: {' '.join(scopes)}." if scopes else ""
    return f"{error.get('message')}{needed}"
