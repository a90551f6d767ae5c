"""Lines of jobs as inputs of the schema: read and checked as the mutations' own are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Never

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, Undefined
from graphql.utilities import coerce_input_value, validate_input_value
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.arguments import convert_argument
from strawberry.types.base import get_object_definition

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.jobs import JobKind, RunningJob
from tenantry.jobs.bulk_lines import LineFormat
from tenantry.keys.exported_passwords import keycloak_form
from tenantry.keys.imported_passwords import UnusableHash
from tenantry.management.errors import user_error
from tenantry.management.ids import local_id
from tenantry.management.mutations.applications import (
    APART,
    ApplicationCreateInput,
    ApplicationDeleteInput,
    ApplicationUpdateInput,
)
from tenantry.management.mutations.client_grants import (
    ClientGrantCreateInput,
    ClientGrantDeleteInput,
    ClientGrantUpdateInput,
)
from tenantry.management.mutations.credentials import enabled, first_keys
from tenantry.management.mutations.grants import GrantDeleteInput
from tenantry.management.mutations.inputs import given, names, patch, sent
from tenantry.management.mutations.users import (
    PasswordCredentialInput,
    UserDeleteInput,
    UserImportInput,
    UserUpdateInput,
)
from tenantry.management.permissions import sent_scopes
from tenantry.rules.fields import encodable
from tenantry.services.commands import ApplicationPatch, NewApplication, NewUser
from tenantry.services.user_import import ImportedUser

_MAX_DEPTH = 16
_MAX_MESSAGE = 300
_OF_AN_IMPORT = ("password_hash", "password_credential", "blocked", "roles")


def line_format(schema: strawberry.Schema) -> LineFormat:
    """How the lines of every kind of job are read."""
    return LineFormat(partial(_read, schema), _refusal)


def _read(
    schema: strawberry.Schema,
    job: RunningJob,
    tenant_id: str,
    scopes: frozenset[str],
    line: bytes,
) -> Any:
    type_, command = _KINDS[job.kind]
    input = _input(schema, type_, _json(line))
    for field, alternatives in sent_scopes(input):
        if not any(scopes.issuperset(needed) for needed in alternatives):
            needed = " and ".join(alternatives[0])
            raise DomainError(ErrorCode.NOT_ALLOWED, f"This needs the scope {needed}.", field)
    return command(job, tenant_id, input)


def _json(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            line.decode(), object_pairs_hook=_members, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise _invalid("Not a JSON object in UTF-8 that has each member once.") from None
    if not isinstance(value, dict):
        raise _invalid("Not a JSON object.")
    _require_clean(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


def _require_clean(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                deeper += item
            elif isinstance(item, str) and not encodable(item):
                raise _invalid("Text must not hold NUL or lone surrogates.")
        if not deeper:
            return
        level = deeper
    raise _invalid(f"JSON is nested at most {_MAX_DEPTH} levels deep.")


def _invalid(message: str, *field: str) -> DomainError:
    return DomainError(ErrorCode.INVALID, message[:_MAX_MESSAGE], *field)


def _input(schema: strawberry.Schema, type_: type, value: Mapping[str, Any]) -> Any:
    published = schema._schema.type_map[_name(type_)]
    if not isinstance(published, GraphQLInputObjectType):
        raise TypeError(published.name)
    try:
        coerced = coerce_input_value(value, published)
    except StrawberryInputCoercionError as error:  # Where exactly one member is wanted.
        raise _invalid(str(error)) from None
    if coerced is Undefined:
        validate_input_value(value, published, _refuse)
    return convert_argument(coerced, type_, schema.schema_converter.scalar_registry, schema.config)


def _refuse(error: GraphQLError, path: Sequence[str | int]) -> Never:
    # What was found instead may be a hash.
    message = error.message.partition(", found:")[0]
    raise _invalid(message, *(str(part) for part in path))


@cache
def _name(type_: type) -> str:
    return get_object_definition(type_, strict=True).name


def _refusal(error: DomainError) -> dict[str, Any]:
    refusal = user_error(error)
    published: dict[str, Any] = {
        "code": refusal.code.value,
        "field": refusal.field,
        "message": refusal.message,
    }
    if refusal.current_revision is not None:
        published["currentRevision"] = refusal.current_revision
    return published


def _imported(job: RunningJob, _: str, input: UserImportInput) -> ImportedUser:
    blocked: bool | None = sent(input.blocked)
    user = NewUser(
        job.connection or "",
        given(input, *_OF_AN_IMPORT),
        imported_hash=_imported_hash(input),
        blocked=bool(blocked),
    )
    return ImportedUser(user, names(input.roles) or (), blocked)


def _imported_hash(input: UserImportInput) -> str | None:
    hashed: str | None = sent(input.password_hash)
    credential: PasswordCredentialInput | None = sent(input.password_credential)
    if credential is None:
        return hashed
    if hashed is not None:
        message = "Send the hash or the credential."
        raise DomainError(ErrorCode.NOT_ALLOWED, message, "password_credential")
    try:
        return keycloak_form(credential.credential_data, credential.secret_data)
    except UnusableHash as reason:
        raise _invalid(str(reason), "password_credential") from None


def _patch(type_name: str, _: RunningJob, tenant_id: str, input: Any) -> Any:
    return patch(local_id(type_name, tenant_id, input.id), input)


def _new_application(_: RunningJob, __: str, input: ApplicationCreateInput) -> NewApplication:
    settings, keys = first_keys(input)
    return NewApplication(
        {**given(input, *APART), **settings},
        sent(input.client_secret),
        names(input.connections),
        credentials=keys,
    )


def _application_patch(
    _: RunningJob, tenant_id: str, input: ApplicationUpdateInput
) -> ApplicationPatch:
    changes = patch(local_id("Application", tenant_id, input.id), input, *APART)
    changes = replace(changes, values={**changes.values, **enabled(input, tenant_id)})
    return ApplicationPatch(changes, sent(input.client_secret), names(input.connections))


_Command = Callable[[RunningJob, str, Any], Any]
_KINDS: Mapping[JobKind, tuple[type, _Command]] = {
    JobKind.USER_IMPORT: (UserImportInput, _imported),
    JobKind.USER_UPDATE: (UserUpdateInput, partial(_patch, "User")),
    JobKind.USER_DELETE: (UserDeleteInput, partial(_patch, "User")),
    JobKind.APPLICATION_CREATE: (ApplicationCreateInput, _new_application),
    JobKind.APPLICATION_UPDATE: (ApplicationUpdateInput, _application_patch),
    JobKind.APPLICATION_DELETE: (ApplicationDeleteInput, partial(_patch, "Application")),
    JobKind.CLIENT_GRANT_CREATE: (ClientGrantCreateInput, lambda _, __, input: given(input)),
    JobKind.CLIENT_GRANT_UPDATE: (ClientGrantUpdateInput, partial(_patch, "ClientGrant")),
    JobKind.CLIENT_GRANT_DELETE: (ClientGrantDeleteInput, partial(_patch, "ClientGrant")),
    JobKind.GRANT_DELETE: (GrantDeleteInput, partial(_patch, "Grant")),
}
