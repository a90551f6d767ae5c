"""The enums of the facts, with what each value means and how it is written on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from tenantry.core.facts import (
    AccessPolicy,
    ApplicationType,
    ConnectionStrategy,
    Environment,
    GrantType,
    KeyState,
    SigningAlgorithm,
    SubjectType,
    TokenDialect,
    TokenEndpointAuthMethod,
)


def describe_enum(
    enum: type[Enum], description: str, values: Mapping[Any, str], name: str | None = None
) -> None:
    """Publishes an enum that a lower layer defines. KeyError if a value is not described."""
    strawberry.enum(enum, name=name or enum.__name__, description=description)
    definition = cast("Any", enum).__strawberry_definition__
    if not isinstance(definition, StrawberryEnumDefinition):
        raise TypeError(enum.__name__)
    for member, value in zip(enum, definition.values, strict=True):
        value.description = values[member]


def _wire(member: Enum, text: str) -> str:
    return f"{text} On the wire: `{member.value}`."


def _describe(enum: type[Enum], description: str, values: Mapping[Any, str]) -> None:
    describe_enum(
        enum, description, {member: _wire(member, text) for member, text in values.items()}
    )


_describe(
    Environment,
    "What a tenant is used for.",
    {
        Environment.DEVELOPMENT: "Programs are being written against it.",
        Environment.STAGING: "A release is being tried.",
        Environment.PRODUCTION: "Real users sign in.",
    },
)
_describe(
    ApplicationType,
    "What kind of program an application is. It decides the defaults of other settings.",
    {
        ApplicationType.NATIVE: "Runs on a user's device, and cannot keep a secret.",
        ApplicationType.SINGLE_PAGE: "Runs in a browser, and cannot keep a secret.",
        ApplicationType.REGULAR_WEB: "Runs on a server, and signs users in.",
        ApplicationType.MACHINE_TO_MACHINE: "Runs on a server, and speaks for itself.",
    },
)
_describe(
    TokenEndpointAuthMethod,
    "How an application proves who it is at the token endpoint.",
    {
        TokenEndpointAuthMethod.NONE: "Not at all: the application is public.",
        TokenEndpointAuthMethod.CLIENT_SECRET_BASIC: "Its secret, by HTTP Basic.",
        TokenEndpointAuthMethod.CLIENT_SECRET_POST: "Its secret, in the body.",
    },
)
_describe(
    GrantType,
    "How an application may get tokens.",
    {
        GrantType.AUTHORIZATION_CODE: "A user signs in and a code is redeemed.",
        GrantType.CLIENT_CREDENTIALS: "The application asks for itself.",
    },
)
_describe(
    SigningAlgorithm,
    "How tokens are signed.",
    {
        SigningAlgorithm.RS256: "RSA with PKCS #1 padding and SHA-256; every library knows it.",
        SigningAlgorithm.PS256: "RSA with PSS padding and SHA-256.",
        SigningAlgorithm.ES256: "ECDSA on the curve P-256 with SHA-256.",
        SigningAlgorithm.EDDSA: "Ed25519.",
    },
)
_describe(
    TokenDialect,
    "How the claims of an access token are named.",
    {
        TokenDialect.ACCESS_TOKEN: "Claims `azp` and `gty`, type `JWT`.",
        TokenDialect.RFC9068_PROFILE: "The profile of RFC 9068: `client_id`, type `at+jwt`.",
    },
)
_describe(
    AccessPolicy,
    "Which applications may have tokens for an API.",
    {
        AccessPolicy.ALLOW_ALL: "Every application of the tenant.",
        AccessPolicy.REQUIRE_CLIENT_GRANT: "Those with a client grant, within its scopes.",
        AccessPolicy.DENY_ALL: "None.",
    },
)
_describe(
    SubjectType,
    "For whom a client grant gives access.",
    {
        SubjectType.CLIENT: "The application itself.",
        SubjectType.USER: "A user who signed in through the application.",
    },
)
_describe(
    KeyState,
    "Where a signing key is in its life.",
    {
        KeyState.NEXT: "Published, and signs after the next rotation.",
        KeyState.CURRENT: "Signs now.",
        KeyState.PREVIOUS: "Signed until the last rotation, and is still trusted.",
        KeyState.REVOKED: "Trusted no more. Its private half is gone.",
    },
)
_describe(
    ConnectionStrategy,
    "Where the users of a connection come from.",
    {ConnectionStrategy.DATABASE: "They are kept here, with their passwords."},
)
