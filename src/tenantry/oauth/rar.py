"""RFC 9396: what an application asks for in objects, where scopes say too little.

Law: a token carries what a person was shown and allowed, or less, and never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.core.authorization_details import ConsentPolicy, Details, types_of
from tenantry.core.facts import GrantType, ResourceServerFacts
from tenantry.core.ids import new_id
from tenantry.oauth.errors import OAuthError, require
from tenantry.oauth.parameters import Parameters
from tenantry.rules.authorization_admission import details_well_formed, may_ask_for_details
from tenantry.rules.authorization_details import MalformedDetails, exceeding, of_types, parse
from tenantry.rules.detail_admission import ERROR

PARAMETER = "authorization_details"
# Those whose grant a person was shown; the others have no page for it.
_GRANT_TYPES = frozenset(
    {
        GrantType.AUTHORIZATION_CODE.value,
        GrantType.REFRESH_TOKEN.value,
    }
)


def metadata(types: Sequence[str]) -> dict[str, Any]:
    """§10: where an API has registered any."""
    return {"authorization_details_types_supported": list(types)} if types else {}


def read(parameters: Parameters) -> Details:
    """§2: the objects; none where the parameter is missing."""
    text = parameters.get(PARAMETER)
    if text is None:
        return ()
    try:
        return parse(text)
    except MalformedDetails as error:
        require(details_well_formed(str(error)))
        raise


def read_for(parameters: Parameters, parts: frozenset[str]) -> Details:
    """The same at the authorization endpoint, whose answer has these parts."""
    details = read(parameters)
    require(may_ask_for_details(parts, asked=bool(details)))
    return details


def refuse(parameters: Parameters) -> None:
    """§5 for what shows no page: refused, since to leave them out would seem to grant them."""
    if parameters.get(PARAMETER) is not None:
        raise OAuthError(ERROR, "The parameter authorization_details is not for this request.")


def refuse_for(grant_type: str, parameters: Parameters) -> None:
    if grant_type not in _GRANT_TYPES:
        refuse(parameters)


def narrowed(held: Details, asked: Details, allowed: Sequence[str]) -> Details | OAuthError:
    """§6: what was asked for of what was granted; without asking, all that is still allowed."""
    current = of_types(held, allowed)
    if exceeding(asked, current) is not None:
        return OAuthError(ERROR, "The authorization_details were not granted.")
    return asked or current


def linking_id(details: Details, api: ResourceServerFacts | None) -> str | None:
    """The name of one transaction, where the API asks for consent to each."""
    transactional = ConsentPolicy.TRANSACTIONAL_AUTHORIZATION_WITH_MFA
    return new_id() if details and api and api.consent_policy is transactional else None


def shown(details: Details) -> dict[str, Any]:
    """§9.2: the member of an introspection response."""
    return {PARAMETER: list(details)} if details else {}


def told(details: Details, linking_id: str | None) -> dict[str, Any]:
    """What the log says of them: of a transaction its name, and nothing that is inside."""
    if not details:
        return {}
    if linking_id is not None:
        return {"linking_id": linking_id, "authorization_details_types": list(types_of(details))}
    return {PARAMETER: list(details)}
