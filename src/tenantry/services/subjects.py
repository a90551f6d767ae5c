"""OpenID Connect Core §8.1: the `sub` of a user in everything that an application gets.

Law: a pairwise name is the same wherever its sector sees it, and means nothing elsewhere.
"""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts
from tenantry.keys.vault import Vault
from tenantry.rules.subjects import sector_of
from tenantry.store import pairwise_subjects
from tenantry.store.unit_of_work import TenantSession

_PURPOSE = "pairwise subject"


def subject_of(vault: Vault, application: ApplicationFacts, user_id: str) -> str:
    """The user's id, or a keyed hash over it and the application's sector."""
    sector = sector_of(application)
    if sector is None:
        return user_id
    return vault.lasting_digest(f"{sector}|{user_id}", _PURPOSE)


def given_subject(db: TenantSession, application: ApplicationFacts, user_id: str) -> str:
    """The same, given away in an ID token: the application may come back with it."""
    subject = subject_of(db.vault, application, user_id)
    if subject != user_id:
        pairwise_subjects.remember(db, subject, user_id)
    return subject


def user_of(db: TenantSession, application: ApplicationFacts, subject: str) -> str:
    """The id of the user whom an application means by a `sub`; whether there is one is not said."""
    if sector_of(application) is None:
        return subject
    return pairwise_subjects.find_user(db, subject) or ""
