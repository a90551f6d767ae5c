"""Compliance reports as the schema shows them."""

from __future__ import annotations

import strawberry

from tenantry.core.compliance import ComplianceLevel
from tenantry.management.types.common import publish
from tenantry.rules import compliance_report
from tenantry.services import compliance


@strawberry.type(description="One thing that a compliance level demands.")
class ComplianceRequirement:
    requirement: str = strawberry.field(description="Its name, as in `grant_types`; it stays.")
    description: str = strawberry.field(description="What is demanded.")
    setting: str = strawberry.field(
        description=(
            "The setting that decides it, as in `Application.grantTypes`. Where it is "
            "`Application.complianceLevel`, every request is held to it, whatever other settings "
            "say."
        )
    )
    is_met: bool = strawberry.field(description="Whether the application meets it.")

    @classmethod
    def of(cls, facts: compliance_report.ComplianceRequirement) -> ComplianceRequirement:
        return publish(cls, facts)


@strawberry.type(description="How an application stands to a compliance level.")
class ComplianceReport:
    level: ComplianceLevel = strawberry.field(description="The level that is reported on.")
    is_met: bool = strawberry.field(
        description="Whether every requirement is met, so that the level can be set."
    )
    requirements: list[ComplianceRequirement] = strawberry.field(
        description="All that the level demands."
    )

    @classmethod
    def of(cls, facts: compliance.ComplianceReport) -> ComplianceReport:
        shown = [ComplianceRequirement.of(each) for each in facts.requirements]
        return publish(cls, facts, requirements=shown)
