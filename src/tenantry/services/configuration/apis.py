"""APIs in a document. A key that tokens are encrypted for is written as PEM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    EncryptionFormat,
    KeyEncryptionAlgorithm,
    NewTokenEncryption,
    ResourceServerFacts,
    TokenEncryption,
)
from tenantry.keys.encryption import UnusableKey, import_encryption_key
from tenantry.rules.nouns import RESOURCE_SERVER_FIELDS, settled_api, token_encryption
from tenantry.services import resource_servers
from tenantry.services.commands import Patch
from tenantry.services.configuration import noun as base
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.store import resource_servers as rows


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKeyShape:
    name: str | None = None
    alg: KeyEncryptionAlgorithm
    kid: str | None = None
    pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEncryptionShape:
    format: EncryptionFormat = EncryptionFormat.COMPACT_NESTED_JWE
    encryption_key: EncryptionKeyShape


SHAPES: Mapping[str, Any] = {"token_encryption": TokenEncryptionShape}


def every_api(work: Work) -> tuple[ResourceServerFacts, ...]:
    """The tenant's APIs, its management API among them."""
    if "apis" not in work.found:
        work.found["apis"] = everything(work.db, rows.page)
    found: tuple[ResourceServerFacts, ...] = work.found["apis"]
    return found


def load(work: Work) -> Iterable[Existing]:
    for api in every_api(work):
        if not api.is_system:
            values = {name: getattr(api, name) for name in RESOURCE_SERVER_FIELDS}
            values["token_encryption"] = _shape(api.token_encryption)
            yield Existing(api.id, api.revision, values, api)


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    asked: TokenEncryptionShape | None = given.get("token_encryption")
    command = dict(given)
    if asked is not None:
        command["token_encryption"] = _command(asked)
    after = base.settle(noun, current, command)
    if asked is not None:
        after["token_encryption"] = _canonical(after["token_encryption"])
    return settled_api(after, {name for name, value in given.items() if value is not None})


def secret_of(current: Existing | None, after: Values) -> str | None:
    return "signingSecret" if current is None and after["signing_alg"].is_symmetric else None


def create(work: Work, given: Values) -> Done:
    made = resource_servers.create(work.db, _with_key(given))
    return Done(made.resource_server.id, made.signing_secret)


def update(work: Work, current: Existing, given: Values) -> Done:
    command = _with_key(given)
    if given.get("token_encryption") is not None:
        asked = _canonical(_command(given["token_encryption"]))
        if asked == current.values["token_encryption"]:
            command.pop("token_encryption")
    resource_servers.update(work.db, Patch(current.id, command, current.revision))
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return resource_servers.delete(work.db, Patch(current.id, expected_revision=current.revision))


def _with_key(given: Values) -> dict[str, Any]:
    command = dict(given)
    if given.get("token_encryption") is not None:
        command["token_encryption"] = _command(given["token_encryption"])
    return command


def _command(asked: TokenEncryptionShape) -> NewTokenEncryption:
    key = asked.encryption_key
    return NewTokenEncryption(
        format=asked.format, name=key.name or None, alg=key.alg, kid=key.kid or None, pem=key.pem
    )


def _canonical(asked: NewTokenEncryption) -> TokenEncryptionShape | None:
    """As the key would be written out once it is stored."""
    path = ("token_encryption", "encryption_key", "pem")
    asked = token_encryption(asked, path[:1])
    try:
        key = import_encryption_key(asked.pem, asked.alg, asked.kid, asked.name)
    except UnusableKey as error:
        raise DomainError(ErrorCode.INVALID, str(error), *path) from None
    return _shape(TokenEncryption(format=asked.format, encryption_key=key))


def _shape(stored: TokenEncryption | None) -> TokenEncryptionShape | None:
    if stored is None:
        return None
    key = stored.encryption_key
    return TokenEncryptionShape(
        format=stored.format,
        encryption_key=EncryptionKeyShape(
            name=key.name, alg=key.alg, kid=key.kid, pem=key.public_key
        ),
    )
