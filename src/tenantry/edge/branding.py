"""What pages show of a tenant and of an application."""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.pages import ApplicationView, Branding, OrganizationView


def branding_of(tenant: TenantFacts) -> Branding:
    return Branding(
        tenant.friendly_name or tenant.name,
        tenant.logo_uri,
        tenant.support_email,
        tenant.support_url,
    )


def application_view(application: ApplicationFacts) -> ApplicationView:
    return ApplicationView(
        application.name,
        application.logo_uri,
        application.policy_uri,
        application.tos_uri,
        application.is_first_party,
        application.client_uri,
    )


def organization_view(organization: OrganizationFacts | None) -> OrganizationView | None:
    return (
        OrganizationView(organization.shown_name, organization.logo_uri) if organization else None
    )
