"""RFC 9396 §3 and §5: who may ask for which authorization details, and how.

Law: the endpoints and the explanation of a decision run these very functions, in one order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tenantry.core.authorization_details import Details, types_of
from tenantry.core.facts import ApplicationFacts, ResourceServerFacts
from tenantry.rules.organizations import Verdict

ERROR = "invalid_authorization_details"


@dataclass(frozen=True, slots=True)
class AskedDetails:
    """What a request asks for. `is_pushed`: the application itself handed it in (RFC 9126)."""

    details: Details = ()
    is_pushed: bool = False


NO_DETAILS = AskedDetails()


def detail_verdicts(
    asked: AskedDetails,
    application: ApplicationFacts,
    api: ResourceServerFacts | None,
    granted: Collection[str],
) -> Iterator[Verdict]:
    """`granted` are the types that the API's policy and the client grants give the application."""
    types = types_of(asked.details)
    if not types:
        return
    # §5: "unknown authorization details type".
    yield Verdict(
        "detail_types_known",
        api is not None and set(types) <= set(api.detail_types),
        "ResourceServer.authorizationDetails",
        ERROR,
        "A type in authorization_details is not registered for the API.",
    )
    yield Verdict(
        "detail_types_granted",
        set(types) <= set(granted),
        "ClientGrant.authorizationDetailsTypes",
        ERROR,
        "A type in authorization_details is not in the client grant of the application.",
    )
    # §10: the metadata parameter `authorization_details_types`.
    registered = application.authorization_details_types
    yield Verdict(
        "detail_types_registered",
        not registered or set(types) <= set(registered),
        "Application.authorizationDetailsTypes",
        ERROR,
        "A type in authorization_details is not among those that the application has registered.",
    )
    # §12: the front channel hides nothing from the browser, and a request may be changed there.
    yield Verdict(
        "details_pushed",
        asked.is_pushed or api is None or not api.require_pushed_authorization_details,
        "ResourceServer.requirePushedAuthorizationDetails",
        "invalid_request",
        "The API takes authorization_details only in requests that were pushed.",
    )
