"""RFC 8628 §3.3: what the person's answer means for the device that waits.

Law: an authorization that began with a user code ends here, never at a redirect URI.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import UserFacts
from tenantry.store import device_codes
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.unit_of_work import TenantSession

_FAILED = "This device was answered for already, or its code has expired."


@dataclass(frozen=True, slots=True)
class DeviceAnswered:
    """The end of an authorization for a device: connected, refused, or the reason why not."""

    connected: bool
    error: str = ""
    description: str = ""


def approve(
    db: TenantSession,
    device_id: str,
    authorization: AuthorizationFacts,
    user: UserFacts,
    scopes: tuple[str, ...],
) -> DeviceAnswered:
    auth_time = authorization.auth_time or db.now
    if device_codes.approve(db, device_id, user.id, auth_time, scopes):
        return DeviceAnswered(connected=True)
    return answered_already()


def deny(db: TenantSession, device_id: str, error: str, description: str) -> DeviceAnswered:
    """The device hears of it when it asks next."""
    if device_codes.deny(db, device_id):
        return DeviceAnswered(connected=False, error=error, description=description)
    return answered_already()


def answered_already() -> DeviceAnswered:
    return DeviceAnswered(connected=False, error="expired_token", description=_FAILED)
