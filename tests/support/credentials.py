"""Uploaded credentials as an administrator handles them, through the management API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.client_keys import pem
from tests.support.management import Api, Json
from tests.support.server import Client

SHOWN = "credential { id revision name credentialType alg kid x5tS256 expiresAt }"


@dataclass(frozen=True)
class Uploaded:
    """A credential: its id, and the name of its key in the headers of JWTs."""

    id: str
    kid: str
    shown: Json


def upload(api: Api, client: Client, key: Any = None, **values: Any) -> Uploaded:
    given = {"clientId": client.id, "name": "A key"} | values
    if key is not None:
        given["pem"] = pem(key)
    made = api.do("credentialCreate", SHOWN, given)["credential"]
    return Uploaded(made["id"], made["kid"], made)


def id_of(api: Api, client: Client) -> str:
    query = "query($id: String!) { application(clientId: $id) { id } }"
    found: str = api.data(query, id=client.id)["application"]["id"]
    return found


def change(api: Api, client: Client, **values: Any) -> Json:
    """The payload of an update of the application, refused or not."""
    given = {"id": id_of(api, client)} | values
    return api.mutate("applicationUpdate", "application { id revision }", given)


def proving_by(*credentials: Uploaded) -> Json:
    """The setting that enables them for client authentication."""
    listed = [credential.id for credential in credentials]
    return {"clientAuthenticationMethods": {"privateKeyJwt": {"credentials": listed}}}


def enable(api: Api, client: Client, *credentials: Uploaded) -> None:
    assert change(api, client, **proving_by(*credentials))["errors"] == []


def sign_requests(api: Api, client: Client, *credentials: Uploaded, required: bool = True) -> None:
    listed = [credential.id for credential in credentials]
    setting = {"required": required, "credentials": listed}
    assert change(api, client, signedRequestObject=setting)["errors"] == []
