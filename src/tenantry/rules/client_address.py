"""The end user's address, as an application on a server tells it at the token endpoint.

Law: the header counts only once the application has proven itself and is one that may be
believed; an address that cannot be read is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, ApplicationType

HEADER = "auth0-forwarded-for"
_ON_SERVERS = frozenset({ApplicationType.REGULAR_WEB, ApplicationType.MACHINE_TO_MACHINE})


def require_on_server(values: Mapping[str, Any]) -> None:
    """Who runs on a person's device could name any address."""
    if (
        values["is_token_endpoint_ip_header_trusted"]
        and values["application_type"] not in _ON_SERVERS
    ):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Only a regular web or a machine-to-machine application can be believed.",
            "is_token_endpoint_ip_header_trusted",
        )


def end_users_address(application: ApplicationFacts, headers: Mapping[str, str]) -> str | None:
    """The first of the addresses in the header: the one from which the person came."""
    if not application.is_token_endpoint_ip_header_trusted or application.is_public:
        return None
    first = headers.get(HEADER, "").partition(",")[0].strip()
    try:
        return str(ip_address(first))
    except ValueError:
        return None
