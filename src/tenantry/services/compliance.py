"""How an application stands to a compliance level."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.facts import TenantFacts
from tenantry.rules import compliance
from tenantry.rules.client_metadata import APPLICATION_FIELDS
from tenantry.rules.compliance_report import ComplianceRequirement, requirements
from tenantry.services.applications import require_tenant
from tenantry.services.runtime import Runtime
from tenantry.store import applications
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class ComplianceReport:
    """Of the application's own level, or of the one that was asked about."""

    level: ComplianceLevel
    requirements: tuple[ComplianceRequirement, ...]

    @property
    def is_met(self) -> bool:
        return all(each.is_met for each in self.requirements)


async def says_issuer(runtime: Runtime, tenant: TenantFacts) -> bool:
    """RFC 9207 §2 and §3: whether every authorization response of a tenant carries `iss`."""
    if tenant.authorization_response_iss_parameter_supported:
        return True
    levels = await runtime.configuration.get(tenant.id, applications.compliance_levels, "")
    return compliance.says_issuer(levels or ())


def report(
    db: TenantSession, client_id: str, level: ComplianceLevel | None
) -> ComplianceReport | None:
    """None for an unknown application, and where there is no level to speak of."""
    application = applications.find_by_client_id(db, client_id)
    level = level or (application.compliance_level if application else None)
    if application is None or level is None:
        return None
    settings = {name: getattr(application, name) for name in APPLICATION_FIELDS}
    return ComplianceReport(level, requirements(level, settings, require_tenant(db)))
