"""The rules of CIBA in the order of its endpoint."""

from __future__ import annotations

from tenantry.core.backchannel import NotificationChannel
from tenantry.core.facts import GrantType
from tenantry.rules import admission, backchannel, scopes
from tenantry.rules import authorization_admission as at_authorize
from tenantry.rules.lifetimes import starts_refreshing
from tenantry.services.explained_grants import decide, names_organization
from tenantry.services.explanation_cases import Case, Trace, Would
from tenantry.store import applications
from tenantry.store.unit_of_work import TenantSession


def ciba(db: TenantSession, case: Case, trace: Trace) -> Would:
    """CIBA Core §7: the person is always asked, by a way that reaches them."""
    application, asked = case.application, case.asked
    trace.require(admission.may_use(application, GrantType.CIBA))
    trace.require(backchannel.names_openid(asked.scopes))
    requested = scopes.within_registered(asked.scopes, application.scope)
    trace.require(at_authorize.registered_scopes(requested))
    usable = set(application.async_approval_notification_channels)
    if case.tenant.push_notification_url is None or case.tenant.push_secret_envelope is None:
        usable.discard(NotificationChannel.PUSH)
    channels = backchannel.channels_for(application, backchannel.DEFAULT_SECONDS, usable)
    trace.require(backchannel.has_channel(channels))
    names_organization(case, trace)
    if case.user is not None:
        enabled = applications.connection_ids(db, application.id)
        connected = case.user.connection_id in enabled
        trace.require(
            backchannel.may_be_asked(application, case.user, connection_enabled=connected)
        )
        trace.require(backchannel.can_be_told(case.user, channels[0]))
    granted = trace.granted(decide(db, case, requested, at_login=True))
    return Would(
        api=granted.api,
        scopes=granted.scopes,
        refreshes=starts_refreshing(application, granted.api, granted.scopes),
        asks=True,
        consent_scopes=granted.scopes,
    )
