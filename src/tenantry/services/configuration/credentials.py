"""Credentials in a document: written inside the application that uses them, by their JWK or name.

A key that no list of an application names stays out of documents, and one that a document takes
off a list is not deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tenantry.core.credentials import MAX_PER_USE, CredentialFacts, CredentialUse
from tenantry.core.distinguished_names import canonical
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, ClientSigningAlgorithm
from tenantry.keys.client_certificates import thumbprint
from tenantry.keys.credentials import BadKey, read_jwk
from tenantry.rules.credentials import CREDENTIAL_FIELDS, PATHS, signing_alg
from tenantry.rules.fields import Check, Field
from tenantry.services import credentials
from tenantry.services.commands import NewCredential, Patch
from tenantry.services.configuration.noun import Values, Work
from tenantry.store import credentials as rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialShape:
    name: str
    jwk: dict[str, Any] | None = None
    subject_dn: str | None = None
    alg: ClientSigningAlgorithm | None = None
    expires_at: datetime | None = None


def _keys(use: CredentialUse) -> Check:
    def check(value: Iterable[CredentialShape], path: tuple[str, ...]) -> Any:
        shapes = tuple(_canonical(one, (*path, str(index))) for index, one in enumerate(value))
        if len(shapes) > MAX_PER_USE:
            raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_PER_USE} credentials.", *path)
        if len({kid(one) for one in shapes}) < len(shapes):
            raise DomainError(ErrorCode.INVALID, "The key is there twice.", *path)
        return shapes

    return check


FIELDS: Mapping[str, Field] = {use.value: Field(_keys(use), ()) for use in CredentialUse}
SHAPES: Mapping[str, Any] = {use.value: tuple[CredentialShape, ...] for use in CredentialUse}


def lists_of(given: Values) -> dict[str, Any]:
    """The lists that are given, in the form of what is stored."""
    return {
        use.value: FIELDS[use.value].check(given[use] or (), (use.value,))
        for use in CredentialUse
        if use in given
    }


def kid(shape: CredentialShape) -> str:
    if shape.jwk is not None:
        return str(shape.jwk["kid"])
    return thumbprint((shape.subject_dn or "").encode())


def _canonical(shape: CredentialShape, path: tuple[str, ...]) -> CredentialShape:
    """As it would be written out once it is stored."""
    name = CREDENTIAL_FIELDS["name"].check(shape.name, (*path, "name"))
    if (shape.jwk is None) == (shape.subject_dn is None):
        raise DomainError(ErrorCode.REQUIRED, "Either jwk or subject_dn.", *path, "jwk")
    if shape.subject_dn is not None:
        subject = CREDENTIAL_FIELDS["subject_dn"].check(shape.subject_dn, (*path, "subject_dn"))
        if shape.alg is not None:
            raise DomainError(ErrorCode.NOT_ALLOWED, "A subject signs nothing.", *path, "alg")
        return replace(shape, name=name, subject_dn=canonical(subject))
    jwk = CREDENTIAL_FIELDS["jwk"].check(shape.jwk, (*path, "jwk"))
    try:
        key = read_jwk(jwk)
        alg = signing_alg(key.jwk["kty"], shape.alg, jwk.get("alg"))
    except BadKey as error:
        raise DomainError(ErrorCode.INVALID, str(error), *path, "jwk") from None
    except DomainError as refusal:
        raise DomainError(refusal.code, refusal.message, *path, *refusal.field) from None
    certified = {"x5t#S256": key.x5t_s256} if key.x5t_s256 else {}
    jwk = {**key.jwk, "kid": key.kid, "alg": alg.value, **certified}
    return replace(shape, name=name, jwk=jwk, alg=alg)


def of_each(work: Work, found: Iterable[ApplicationFacts]) -> dict[str, dict[str, Any]]:
    """The lists of each application, by its id."""
    lists: dict[str, dict[str, Any]] = {}
    using = [one for one in found if any(getattr(one, use) for use in CredentialUse)]
    stored = rows.of_each_application(work.db, [one.id for one in using])
    for one in using:
        by_id = {credential.id: credential for credential in stored.get(one.id, ())}
        lists[one.id] = {
            use.value: tuple(_shape(by_id[id_]) for id_ in getattr(one, use) if id_ in by_id)
            for use in CredentialUse
        }
    return lists


def _shape(stored: CredentialFacts) -> CredentialShape:
    return CredentialShape(
        name=stored.name,
        jwk=_jwk_of(stored),
        subject_dn=stored.subject_dn,
        alg=stored.alg,
        expires_at=stored.expires_at,
    )


def _jwk_of(stored: CredentialFacts) -> dict[str, Any] | None:
    """With the thumbprint of its certificate, where that counts (RFC 7517 §4.9)."""
    if stored.jwk is None:
        return None
    certified = {"x5t#S256": stored.x5t_s256} if stored.x5t_s256 else {}
    return {**json.loads(stored.jwk), **certified}


def uploads(given: Values) -> dict[CredentialUse, tuple[Values, ...]]:
    """The keys that a new application begins with."""
    return {
        use: tuple(_command(shape) for shape in given[use])
        for use in CredentialUse
        if given.get(use)
    }


def _command(shape: CredentialShape) -> dict[str, Any]:
    return {
        "name": shape.name,
        "jwk": shape.jwk,
        "subject_dn": shape.subject_dn,
        "alg": shape.alg,
        "expires_at": shape.expires_at,
    }


def ids_for(work: Work, application: ApplicationFacts, given: Values) -> dict[str, Any]:
    """The lists as ids: keys that are not there yet are uploaded, others may get another end."""
    own = {one.kid: one for one in rows.of_application(work.db, application.id)}
    return {
        use: tuple(
            _id(work, application, own, shape, (use, str(index)))
            for index, shape in enumerate(shapes)
        )
        for use, shapes in lists_of(given).items()
    }


def _id(
    work: Work,
    application: ApplicationFacts,
    own: Mapping[str, CredentialFacts],
    shape: CredentialShape,
    path: tuple[str, ...],
) -> str:
    stored = own.get(kid(shape))
    try:
        if stored is None:
            command = NewCredential(application.client_id, _command(shape))
            return credentials.create(work.db, command).id
        for name in ("name", "alg"):
            if getattr(shape, name) != getattr(stored, name):
                raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", name)
        if shape.expires_at != stored.expires_at:
            credentials.update(work.db, Patch(stored.id, {"expires_at": shape.expires_at}))
    except DomainError as refusal:
        raise DomainError(refusal.code, refusal.message, *path, *refusal.field) from None
    return stored.id


@contextmanager
def in_their_places() -> Iterator[None]:
    """Refusals name the lists as documents do."""
    try:
        yield
    except DomainError as refusal:
        for use, path in PATHS.items():
            if refusal.field[:1] == path[:1] and path[-1] in refusal.field:
                rest = refusal.field[refusal.field.index(path[-1]) + 1 :]
                raise DomainError(refusal.code, refusal.message, use.value, *rest) from None
        raise
