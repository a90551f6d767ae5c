"""The words of CIBA Core 1.0 in the schema."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.core.backchannel import (
    BackchannelRequestState,
    BackchannelTokenDeliveryMode,
    NotificationChannel,
)
from tenantry.management.types.enums import describe_enum

describe_enum(
    BackchannelTokenDeliveryMode,
    "How an application learns that a user has answered (CIBA Core §5).",
    {
        BackchannelTokenDeliveryMode.POLL: (
            "It asks at the token endpoint until there is an answer. On the wire: `poll`."
        ),
        BackchannelTokenDeliveryMode.PING: (
            "It is told at its own address, and then asks once. On the wire: `ping`."
        ),
    },
)
describe_enum(
    NotificationChannel,
    "By what way a user hears of a request.",
    {
        NotificationChannel.PUSH: (
            "The tenant's push service, for up to 300 seconds. Where it answers 404, because it "
            "knows no device of the user, mail is sent instead if that is enabled too."
        ),
        NotificationChannel.EMAIL: (
            "Mail to the user's verified address, for up to 259200 seconds (72 hours)."
        ),
    },
)
describe_enum(
    BackchannelRequestState,
    "How far a request to a user has come.",
    {
        BackchannelRequestState.PENDING: "It waits for the user, or has expired.",
        BackchannelRequestState.APPROVED: "The user has approved; the tokens are to be fetched.",
        BackchannelRequestState.DENIED: "The user has refused.",
        BackchannelRequestState.REDEEMED: "The application has the tokens.",
    },
)
STATE_ABOUT = "How far it has come."

SETTINGS_ABOUT: Mapping[str, str] = {
    "async_approval_notification_channels": (
        "By what ways users hear of the application's requests by CIBA. Of several, `PUSH` serves "
        "a `requested_expiry` of up to 300 seconds, `EMAIL` a longer one. Default `EMAIL`."
    ),
    "backchannel_token_delivery_mode": (
        "How the application learns that a user has answered (CIBA Core §4). Default `POLL`."
    ),
    "backchannel_client_notification_endpoint": (
        "Where it is told in `PING` mode: https, or http on this machine. Default null."
    ),
    "backchannel_authentication_request_signing_alg": (
        "The algorithm that its requests by CIBA must be signed by, as the parameter `request` "
        "(CIBA Core §7.1.1). Default null: none need be."
    ),
    "backchannel_user_code_parameter": (
        "Whether its requests must carry the user's own code (`userCodeSet`). Default false."
    ),
}
