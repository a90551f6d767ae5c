"""OpenID Connect Core §8.1: the `sub` of a user in everything that an application gets.

Law: a pairwise name is the same wherever its sector sees it, and means nothing elsewhere.
"""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts
from tenantry.keys.vault import Vault
from tenantry.rules.subjects import sector_of

_PURPOSE = "pairwise subject"


def subject_of(vault: Vault, application: ApplicationFacts, user_id: str) -> str:
    """The user's id, or a keyed hash over it and the application's sector."""
    sector = sector_of(application)
    if sector is None:
        return user_id
    return vault.lasting_digest(f"{sector}|{user_id}", _PURPOSE)
