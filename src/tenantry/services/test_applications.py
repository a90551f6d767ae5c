"""A test application for an API: registered and granted in one operation."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.errors import not_found
from tenantry.core.facts import ApplicationFacts, ApplicationType, ClientGrantFacts, SubjectType
from tenantry.rules.addresses import Addresses
from tenantry.rules.trial import TRIAL_METADATA
from tenantry.services import applications, client_grants
from tenantry.services.apis import find_api_in
from tenantry.services.commands import NewApplication
from tenantry.store.unit_of_work import TenantSession

_SUFFIX = " (test application)"
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class TestApplication:
    """A machine-to-machine application that has every scope of one API."""

    application: ApplicationFacts
    client_grant: ClientGrantFacts
    client_secret: str | None


def create(db: TenantSession, addresses: Addresses, audience: str) -> TestApplication:
    """The secret is here this once."""
    api = find_api_in(db, addresses, audience)
    if api is None:
        raise not_found("API", "audience")
    made = applications.create(
        db,
        NewApplication(
            {
                "name": api.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX,
                "application_type": ApplicationType.MACHINE_TO_MACHINE,
                "application_metadata": dict(TRIAL_METADATA),
            }
        ),
    )
    grant = client_grants.create(
        db,
        addresses,
        {
            "client_id": made.application.client_id,
            "audience": audience,
            "subject_type": SubjectType.CLIENT,
            "allow_all_scopes": True,
        },
    )
    return TestApplication(made.application, grant, made.client_secret)
