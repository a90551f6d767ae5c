"""What is measured must exist first: an API, applications, grants, made by GraphQL."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench_support.http import post_form, post_json
from bench_support.server import BenchError

AUDIENCE = "https://bench.example.com/"
SCOPES = ("read:things", "write:things")
LARGEST_BATCH = 20

RESOURCE_SERVER = (
    "resourceServerCreate",
    "ResourceServerCreateInput",
    "resourceServer { id } errors { code field message }",
)
APPLICATION = (
    "applicationCreate",
    "ApplicationCreateInput",
    "application { clientId } clientSecret errors { code field message }",
)
CLIENT_GRANT = (
    "clientGrantCreate",
    "ClientGrantCreateInput",
    "clientGrant { id } errors { code field message }",
)
TENANT = ("tenantUpdate", "TenantUpdateInput", "tenant { id } errors { code field message }")


@dataclass(frozen=True)
class Credentials:
    """What an application sends to get a token."""

    client_id: str
    client_secret: str
    audience: str

    def fields(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "audience": self.audience,
        }

    def form(self) -> str:
        return urlencode(self.fields())


class Management:
    """The management API of the root tenant, as the bootstrap application."""

    def __init__(self, port: int, bootstrap: Credentials) -> None:
        self._port = port
        self._token = access_token(port, bootstrap)
        self._batch = LARGEST_BATCH

    def create_applications(
        self, count: int, algorithms: Sequence[str]
    ) -> dict[str, list[Credentials]]:
        """An API for each algorithm, and machine applications that may ask for its tokens."""
        enabled = list(dict.fromkeys(["RS256", *algorithms]))
        self.mutate(TENANT, [{"signingAlgorithms": enabled}])
        scopes = [{"value": scope, "description": scope} for scope in SCOPES]
        self.mutate(
            RESOURCE_SERVER,
            [
                {
                    "name": f"Bench {algorithm}",
                    "identifier": AUDIENCE + algorithm,
                    "scopes": scopes,
                    "signingAlg": algorithm,
                }
                for algorithm in algorithms
            ],
        )
        made = self.mutate(
            APPLICATION,
            [
                {"name": f"Machine {number}", "applicationType": "MACHINE_TO_MACHINE"}
                for number in range(count)
            ],
        )
        applications = {
            algorithm: [
                Credentials(
                    payload["application"]["clientId"],
                    payload["clientSecret"],
                    AUDIENCE + algorithm,
                )
                for payload in made
            ]
            for algorithm in algorithms
        }
        self.mutate(
            CLIENT_GRANT,
            [
                {
                    "clientId": application.client_id,
                    "audience": application.audience,
                    "scopes": list(SCOPES),
                    "subjectType": "CLIENT",
                }
                for group in applications.values()
                for application in group
            ],
        )
        return applications

    def mutate(
        self, mutation: tuple[str, str, str], inputs: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Runs one mutation for many inputs, several to a request, and gives the payloads."""
        payloads: list[dict[str, Any]] = []
        while len(payloads) < len(inputs):
            batch = inputs[len(payloads) : len(payloads) + self._batch]
            try:
                payloads += self._mutate(mutation, batch)
            except Refused:
                if len(batch) == 1:
                    raise
                # Too costly in one: the limits are the server's to choose.
                self._batch = len(batch) // 2
        return payloads

    def _mutate(
        self, mutation: tuple[str, str, str], batch: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        field, input_type, selection = mutation
        declared = ", ".join(f"$i{index}: {input_type}!" for index in range(len(batch)))
        fields = " ".join(
            f"m{index}: {field}(input: $i{index}) {{ {selection} }}" for index in range(len(batch))
        )
        variables = {f"i{index}": value for index, value in enumerate(batch)}
        data = self._send(f"mutation({declared}) {{ {fields} }}", variables)
        payloads: list[dict[str, Any]] = [data[f"m{index}"] for index in range(len(batch))]
        for payload in payloads:
            if payload["errors"]:
                raise BenchError(f"{field} was refused: {payload['errors']}")
        return payloads

    def _send(self, query: str, variables: Mapping[str, Any]) -> Any:
        status, body = post_json(
            self._port, "/graphql", {"query": query, "variables": variables}, self._token
        )
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        if answer.get("data") is None:
            raise Refused(f"/graphql answered {status}: {body[:2000]!r}")
        if answer.get("errors"):
            raise BenchError(f"/graphql answered with errors: {answer['errors'][:3]}")
        return answer["data"]


class Refused(BenchError):
    """Nothing of the operation was run."""


def access_token(port: int, credentials: Credentials) -> str:
    status, body = post_form(port, "/oauth/token", credentials.fields())
    if status != 200:
        raise BenchError(f"/oauth/token answered {status}: {body[:2000]!r}")
    return str(json.loads(body)["access_token"])


def algorithm_of(token: str) -> str:
    header = token.partition(".")[0]
    padded = header + "=" * (-len(header) % 4)
    return str(json.loads(base64.urlsafe_b64decode(padded))["alg"])
