"""For how long tokens live, and whether they can be renewed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tenantry.core.facts import ApplicationFacts, ResourceServerFacts
from tenantry.rules.authorization import OFFLINE_ACCESS, may_keep_access

USERINFO_LIFETIME = 86_400
"""Seconds that a token lives which only `/userinfo` accepts."""


def access_token_lifetime(
    api: ResourceServerFacts | None, *, front_channel: bool = False
) -> timedelta:
    """Tokens of the implicit and hybrid flows pass through the browser, and may live shorter."""
    if api is None:
        return timedelta(seconds=USERINFO_LIFETIME)
    return timedelta(seconds=api.token_lifetime_for_web if front_channel else api.token_lifetime)


def family_lifetime(
    application: ApplicationFacts, api: ResourceServerFacts | None, scopes: Sequence[str]
) -> timedelta:
    """For how long anything of an authorization may live, access or refresh tokens."""
    lifetime = access_token_lifetime(api)
    if not starts_refreshing(application, api, scopes):
        return lifetime
    return max(lifetime, timedelta(seconds=application.refresh_token_lifetime))


def starts_refreshing(
    application: ApplicationFacts, api: ResourceServerFacts | None, scopes: Sequence[str]
) -> bool:
    """OpenID Connect Core §11: a refresh token where offline access was granted."""
    return OFFLINE_ACCESS in scopes and may_keep_access(application, api)
