"""CIBA Core §7: who may be asked, by what way, and what the request may say.

Law: the endpoint and the explanation of a decision run these very functions, in one order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tenantry.core.backchannel import BackchannelTokenDeliveryMode, NotificationChannel
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import (
    ApplicationFacts,
    GrantType,
    TokenEndpointAuthMethod,
    UserFacts,
)
from tenantry.rules.admission import Admission, check, connection_setting, in_order

PUSH_SECONDS, EMAIL_SECONDS = 300, 259_200
"""The longest that a request waits, by the way in which the person hears of it."""
DEFAULT_SECONDS = 300
MAX_BINDING_MESSAGE = 64
MAX_NOTIFICATION_TOKEN = 1024
# What two screens show alike: letters, digits, spaces and few signs.
_BINDING_MESSAGE = re.compile(r"[\w +\-.,:#]{1,64}")
# RFC 6750 §2.1.
_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_LONGEST = {
    NotificationChannel.PUSH: PUSH_SECONDS,
    NotificationChannel.EMAIL: EMAIL_SECONDS,
}


def is_binding_message(value: str) -> bool:
    return bool(_BINDING_MESSAGE.fullmatch(value)) and value == value.strip()


def is_notification_token(value: str) -> bool:
    """§7.1: at most 1024 characters, in the syntax of a bearer token."""
    return len(value) <= MAX_NOTIFICATION_TOKEN and bool(_BEARER.fullmatch(value))


def channels_for(
    application: ApplicationFacts, seconds: int, usable: Collection[NotificationChannel]
) -> tuple[NotificationChannel, ...]:
    """The ways that remain, the first of them first: what is short goes to the device at hand."""
    push, email = NotificationChannel.PUSH, NotificationChannel.EMAIL
    ordered = (push, email) if seconds <= PUSH_SECONDS else (email, push)
    enabled = application.async_approval_notification_channels
    return tuple(each for each in ordered if each in enabled and each in usable)


def lifetime(channel: NotificationChannel, seconds: int) -> int:
    """For how long the request waits, in seconds."""
    return min(seconds, _LONGEST[channel])


def names_openid(asked: Sequence[str]) -> Admission:
    """§7.1: requests "MUST contain the openid scope value"."""
    return check(
        "openid",
        "openid" in asked,
        "The requested scopes",
        "invalid_scope",
        "The parameter scope does not contain openid.",
    )


def can_ping(application: ApplicationFacts, *, has_token: bool) -> Admission:
    """§7.1: the token is "REQUIRED if the Client is registered to use Ping or Push modes"."""
    pings = application.backchannel_token_delivery_mode is BackchannelTokenDeliveryMode.PING
    return check(
        "client_notification_token",
        has_token or not pings,
        "Application.backchannelTokenDeliveryMode",
        "invalid_request",
        "The parameter client_notification_token is missing or malformed.",
    )


def may_be_asked(
    application: ApplicationFacts, user: UserFacts | None, *, connection_enabled: bool
) -> Admission:
    """One text for everybody who cannot sign in to the application."""
    text = "The hint names no user of this application."
    setting = connection_setting(application)
    return in_order(
        check("user_known", user is not None, "User", "unknown_user_id", text),
        check("connection_enabled", connection_enabled, setting, "unknown_user_id", text),
        check(
            "user_not_blocked",
            user is None or not user.blocked,
            "User.blocked",
            "unknown_user_id",
            text,
        ),
    )


def has_channel(channels: Sequence[NotificationChannel]) -> Admission:
    return check(
        "notification_channel",
        bool(channels),
        "Application.asyncApprovalNotificationChannels",
        "invalid_request",
        "The application has no notification channel that works.",
    )


def can_be_told(user: UserFacts, channel: NotificationChannel) -> Admission:
    """Mail goes to who has shown that it is theirs, alone."""
    return check(
        "email_verified",
        channel is not NotificationChannel.EMAIL or has_mail(user),
        "User.emailVerified",
        "access_denied",
        "The user has no verified email address.",
        403,
    )


def has_mail(user: UserFacts) -> bool:
    return user.email is not None and user.email_verified


def require_agreeing_backchannel(values: Mapping[str, Any]) -> None:
    """§4: what an application must be to ask people elsewhere."""
    path, endpoint = "backchannel_token_delivery_mode", "backchannel_client_notification_endpoint"
    if values[path] is BackchannelTokenDeliveryMode.PING and values[endpoint] is None:
        raise DomainError(ErrorCode.REQUIRED, "Ping needs the address that is pinged.", endpoint)
    if GrantType.CIBA not in values["grant_types"]:
        return
    lacks = {
        "Only a first-party application": not values["is_first_party"],
        "Only a confidential application": (
            values["token_endpoint_auth_method"] is TokenEndpointAuthMethod.NONE
        ),
        "Only an OIDC-conformant application": not values["oidc_conformant"],
    }
    for who, refused in lacks.items():
        if refused:
            text = f"{who} can use the {GrantType.CIBA.value} grant."
            raise DomainError(ErrorCode.NOT_ALLOWED, text, "grant_types")
