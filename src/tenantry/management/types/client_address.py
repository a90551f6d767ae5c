"""For whom an application on a server asks, as the schema shows it."""

from __future__ import annotations

from tenantry.rules.client_address import HEADER

CLIENT_ADDRESS_ABOUT = (
    f"Whether the header `{HEADER}` of its token requests says from which IP address the person "
    "comes: that address is in the log, and it has an allowance of requests, so that nobody tries "
    "passwords through the application without end. Only for regular web and machine-to-machine "
    "applications, once they have authenticated. Default false."
)
