"""A token request that is to be explained, and what is found out about it step by step."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.authorization_details import Details
from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import (
    ApplicationFacts,
    GrantType,
    ProofOfPossession,
    ResourceServerFacts,
    ResponseTypeName,
    TenantFacts,
    UserFacts,
)
from tenantry.core.organizations import OrganizationFacts
from tenantry.rules.addresses import Addresses, TenantAddress
from tenantry.rules.admission import Admission
from tenantry.rules.authorization import Decision, Granted, Refused, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationRequest:
    """A request as an application would send it, with what it presents in words.

    `presented_scopes` are those of the refresh token or the subject token.
    `authorization_details` is the text of the parameter in a request that was pushed.
    """

    client_id: str
    grant_type: GrantType
    audience: str | None = None
    scopes: tuple[str, ...] = ()
    user_id: str | None = None
    organization: str | None = None
    response_type: ResponseTypeName | None = None
    redirect_uri: str | None = None
    connection: str | None = None
    assertion_issuer: str | None = None
    presented_scopes: tuple[str, ...] | None = None
    proof_of_possession: ProofOfPossession | None = None

    @property
    def confirmation(self) -> Confirmation | None:
        """What the request would prove, of a key that nobody knows yet."""
        if self.proof_of_possession is None:
            return None
        by_key = self.proof_of_possession is ProofOfPossession.DPOP
        return Confirmation(jkt="") if by_key else Confirmation(x5t_s256="")

    authorization_details: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A request with what is known of it. What depends on a user is left out without one."""

    addresses: Addresses
    address: TenantAddress
    tenant: TenantFacts
    application: ApplicationFacts
    organization: OrganizationFacts | None
    asked: ExplanationRequest
    user: UserFacts | None = None

    @property
    def parts(self) -> frozenset[str]:
        """Of the answer of the authorization endpoint."""
        default = ResponseTypeName.CODE
        if self.asked.grant_type is GrantType.IMPLICIT:
            default = ResponseTypeName.ID_TOKEN_TOKEN
        return (self.asked.response_type or default).parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """What would be issued. `asks` says whether a page would ask for `consent_scopes` first.

    `alone` says that the ID token is the whole answer.
    """

    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    refreshes: bool = False
    asks: bool = False
    consent_scopes: tuple[str, ...] = ()
    in_front: bool = False
    has_access_token: bool = True
    has_id_token: bool = True
    details: Details = ()
    alone: bool = False


class Stopped(Exception):
    """A rule has refused."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self.refused = refused


class Trace:
    """The rules that took part so far."""

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()

    def require(self, found: Admission) -> None:
        self.rules += found.trace
        if isinstance(found, Refused):
            raise Stopped(found)

    def granted(self, found: Decision) -> Granted:
        self.rules += found.trace
        if isinstance(found, Refused):
            raise Stopped(found)
        return found


_AT_AUTHORIZE = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT})
_PASSWORD = frozenset({GrantType.PASSWORD, GrantType.PASSWORD_REALM})
_PRESENTS = frozenset({GrantType.REFRESH_TOKEN, GrantType.TOKEN_EXCHANGE})
_PLACES = {
    "userId": frozenset(GrantType) - {GrantType.CLIENT_CREDENTIALS},
    "organization": _AT_AUTHORIZE | _PASSWORD | _PRESENTS | {GrantType.CLIENT_CREDENTIALS},
    "responseType": _AT_AUTHORIZE,
    "redirectUri": _AT_AUTHORIZE,
    "connection": frozenset({GrantType.PASSWORD_REALM}),
    "assertionIssuer": frozenset({GrantType.JWT_BEARER}),
    "presentedScopes": _PRESENTS,
    "proofOfPossession": frozenset(GrantType) - {GrantType.IMPLICIT},
    "authorizationDetails": _AT_AUTHORIZE,
}


def misplaced(asked: ExplanationRequest) -> str | None:
    """What is wrong with a request that no application could send; None if nothing is."""
    given = {
        "userId": asked.user_id,
        "organization": asked.organization,
        "responseType": asked.response_type,
        "redirectUri": asked.redirect_uri,
        "connection": asked.connection,
        "assertionIssuer": asked.assertion_issuer,
        "presentedScopes": asked.presented_scopes,
        "proofOfPossession": asked.proof_of_possession,
        "authorizationDetails": asked.authorization_details,
    }
    for name, value in given.items():
        if value is not None and asked.grant_type not in _PLACES[name]:
            return f"The argument {name} has no place in a request of this grant type."
    parts = asked.response_type.parts if asked.response_type else None
    if parts is None:
        return None
    fits = (
        "code" in parts if asked.grant_type is GrantType.AUTHORIZATION_CODE else parts != {"code"}
    )
    return None if fits else "The responseType has no part that this grant type makes."
