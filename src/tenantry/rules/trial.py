"""The mark of applications that were made for a trial in one operation."""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts

TRIAL_METADATA = {"purpose": "test"}


def is_trial(application: ApplicationFacts) -> bool:
    return TRIAL_METADATA.items() <= application.application_metadata.items()
