"""Credentials of applications: uploading, changing when they end, enabling, removing.

An application has a credential from the moment of its upload, and uses it from the moment when
one of its lists names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tenantry.core.credentials import (
    MAX_CREDENTIALS,
    CredentialFacts,
    CredentialType,
    CredentialUse,
)
from tenantry.core.distinguished_names import canonical
from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ApplicationFacts, TokenEndpointAuthMethod
from tenantry.core.ids import new_id
from tenantry.keys.client_certificates import thumbprint
from tenantry.keys.credentials import (
    BadKey,
    Subject,
    UploadedKey,
    read_jwk,
    read_pem,
    read_subject,
)
from tenantry.rules.credentials import (
    CREDENTIAL_FIELDS,
    PATHS,
    credential_type,
    expiry,
    future,
    require_fitting,
    require_one_key,
    signing_alg,
)
from tenantry.rules.fields import with_defaults
from tenantry.services.changes import record_change
from tenantry.services.commands import NewCredential, Patch, Values
from tenantry.store import applications, credentials
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, command: NewCredential) -> CredentialFacts:
    found = applications.find_by_client_id(db, command.client_id)
    application = applications.lock(db, found.id) if found else None
    if application is None:
        raise not_found("application", "client_id")
    if application.is_system:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "This application belongs to the server itself.", "client_id"
        )
    return add(db, application, command.values)


def add(
    db: TenantSession, application: ApplicationFacts, given: Values, id: str | None = None
) -> CredentialFacts:
    """To an application that no other transaction changes meanwhile."""
    values = _uploaded(given, db)
    own = credentials.of_application(db, application.id)
    if any(credential.kid == values["kid"] for credential in own):
        raise DomainError(
            ErrorCode.ALREADY_EXISTS, "The application has this key already.", _source(given)
        )
    if len(own) >= MAX_CREDENTIALS:
        raise DomainError(
            ErrorCode.TOO_MANY,
            f"An application has at most {MAX_CREDENTIALS} credentials: delete one first.",
            "client_id",
        )
    row_id = credentials.create(db, {"application_id": application.id, **values}, id)
    record_change(
        db,
        "credential.created",
        ("Credential", row_id),
        after=values,
        client_id=application.client_id,
    )
    return _require(db, row_id)


def _uploaded(given: Values, db: TenantSession) -> dict[str, Any]:
    """What is stored of a key, a certificate or a name."""
    values = with_defaults(CREDENTIAL_FIELDS, given)
    require_one_key(values)
    if values["subject_dn"] is not None:
        return _named(values, canonical(values["subject_dn"]), None, db)
    if values["credential_type"] is CredentialType.CERT_SUBJECT_DN:
        found = _read_subject(values)
        return _named(values, found.subject_dn, found.ends_at, db)
    key = _read(values)
    of_key = values["jwk"].get("alg") if values["jwk"] is not None else None
    alg = signing_alg(key.jwk["kty"], values["alg"], of_key)
    kind = credential_type(values["credential_type"], is_certificate=key.x5t_s256 is not None)
    certified = key.x5t_s256 if kind is CredentialType.X509_CERT else None
    jwk = {**key.jwk, "kid": key.kid, "alg": alg.value}
    return {
        "name": values["name"],
        "credential_type": kind,
        "alg": alg,
        "kid": key.kid,
        "x5t_s256": certified,
        "jwk": json.dumps(jwk, separators=(",", ":")),
        "subject_dn": None,
        "expires_at": expiry(values, key.ends_at, db.now),
    }


def _named(
    values: Mapping[str, Any], subject_dn: str, ends_at: datetime | None, db: TenantSession
) -> dict[str, Any]:
    return {
        "name": values["name"],
        "credential_type": CredentialType.CERT_SUBJECT_DN,
        "alg": None,
        "kid": thumbprint(subject_dn.encode()),
        "x5t_s256": None,
        "jwk": None,
        "subject_dn": subject_dn,
        "expires_at": expiry(values, ends_at, db.now),
    }


def _read_subject(values: Mapping[str, Any]) -> Subject:
    try:
        return read_subject(values["pem"])
    except BadKey as error:
        raise DomainError(ErrorCode.INVALID, str(error), "pem") from None


def _read(values: Mapping[str, Any]) -> UploadedKey:
    try:
        return read_pem(values["pem"]) if values["jwk"] is None else read_jwk(values["jwk"])
    except BadKey as error:
        raise DomainError(ErrorCode.INVALID, str(error), _source(values)) from None


def _source(values: Mapping[str, Any]) -> str:
    return next((name for name in ("jwk", "subject_dn") if values.get(name) is not None), "pem")


def update(db: TenantSession, patch: Patch) -> CredentialFacts:
    """When it ends, and nothing else."""
    current = _require(db, patch.id)
    values: dict[str, Any] = {}
    if "expires_at" in patch.values:
        values["expires_at"] = future(patch.values["expires_at"], db.now, "expires_at")
    credentials.change(db, current, values, patch.expected_revision)
    application = applications.find(db, current.application_id)
    record_change(
        db,
        "credential.updated",
        ("Credential", current.id),
        before=current,
        after=values,
        client_id=application.client_id if application else None,
    )
    return _require(db, current.id)


_LISTS = {
    CredentialUse.CLIENT_AUTHENTICATION: "clientAuthenticationMethods",
    CredentialUse.REQUEST_OBJECTS: "signedRequestObject",
}


def delete(db: TenantSession, patch: Patch) -> str:
    """One that no list names. Returns the id."""
    current = _require(db, patch.id)
    application = applications.lock(db, current.application_id)
    for use, setting in _LISTS.items():
        if application and current.id in getattr(application, use):
            raise DomainError(
                ErrorCode.IN_USE, f"The application uses it: take it out of {setting} first.", "id"
            )
    credentials.delete(db, current, patch.expected_revision)
    record_change(
        db,
        "credential.deleted",
        ("Credential", current.id),
        client_id=application.client_id if application else None,
    )
    return current.id


New = Mapping[CredentialUse, Mapping[str, Values]]
"""Keys that an application begins with, by their use and then their id."""


def with_ids(given: Mapping[CredentialUse, tuple[Values, ...]]) -> New:
    return {use: {new_id(): values for values in keys} for use, keys in given.items()}


def add_new(db: TenantSession, application: ApplicationFacts, new: New) -> None:
    for use, keys in new.items():
        for index, (id_, values) in enumerate(keys.items()):
            try:
                add(db, application, values, id_)
            except DomainError as error:
                path = (*PATHS[use], str(index), *error.field)
                raise DomainError(error.code, error.message, *path) from None


def require_own(db: TenantSession, application_id: str, lists: Values) -> None:
    """The lists name credentials of this application."""
    own = {credential.id for credential in credentials.of_application(db, application_id)}
    for use in CredentialUse:
        for index, id_ in enumerate(lists.get(use) or ()):
            if id_ not in own:
                raise not_found("credential", *PATHS[use], str(index))


def require_usable(db: TenantSession, application_id: str, settings: Values) -> None:
    """What the lists name fits the method."""
    if any(settings[use] for use in CredentialUse):
        require_fitting(settings, credentials.of_application(db, application_id))


@contextmanager
def named_by(method: TokenEndpointAuthMethod | None) -> Iterator[None]:
    """Refusals name the list below the method that it is of."""
    try:
        yield
    except DomainError as refusal:
        path = PATHS[CredentialUse.CLIENT_AUTHENTICATION]
        if method is None or refusal.field[: len(path)] != path:
            raise
        field = (path[0], str(method), *refusal.field[1:])
        raise DomainError(refusal.code, refusal.message, *field) from None


def _require(db: TenantSession, id: str) -> CredentialFacts:
    found = credentials.find(db, id)
    if found is None or applications.find(db, found.application_id) is None:
        raise not_found("credential")
    return found
