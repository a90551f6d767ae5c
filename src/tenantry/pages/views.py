"""The facts that each page shows. Nothing here is trusted: the templates escape all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Branding:
    tenant_name: str
    logo_uri: str | None = None
    support_email: str | None = None
    support_url: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationView:
    name: str
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    is_first_party: bool = False
    client_uri: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """Whom the person signs in to, at an application that many organizations use."""

    name: str
    logo_uri: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationPromptView:
    """Asks for whom the sign-in is; `name` is what was typed before."""

    branding: Branding
    application: ApplicationView
    action: str
    form_token: str
    name: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LoginView:
    branding: Branding
    application: ApplicationView
    action: str
    form_token: str
    login_hint: str = ""
    error: str | None = None
    organization: OrganizationView | None = None


@dataclass(frozen=True, slots=True)
class ScopeText:
    value: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ScopeGroup:
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetailsView:
    """Authorization details one by one, and in the tenant's words if it has any."""

    groups: tuple[ScopeGroup, ...]
    worded: Markup | None = None


@dataclass(frozen=True, slots=True)
class ConsentView:
    branding: Branding
    application: ApplicationView
    user_name: str
    action: str
    form_token: str
    groups: tuple[ScopeGroup, ...]
    is_device: bool = False
    is_approval: bool = False
    binding_message: str = ""
    details: DetailsView | None = None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """`user_code` is what the device's link carried; the person compares it."""

    branding: Branding
    action: str
    form_token: str
    user_code: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceAnsweredView:
    """`description` says why the device is not connected."""

    branding: Branding
    connected: bool
    description: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """What the link of a message opens; `ticket` is what it carried."""

    branding: Branding
    application: ApplicationView
    action: str
    form_token: str
    ticket: str


@dataclass(frozen=True, slots=True)
class ApprovalAnsweredView:
    """`description` says why nothing was approved."""

    branding: Branding
    approved: bool
    description: str = ""


@dataclass(frozen=True, slots=True)
class EmailView:
    """`text` and `html` are shown as they are written, and nothing of them runs."""

    tenant_name: str
    recipient: str
    subject: str
    sent_at: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class MailboxView:
    """What a development server would have sent, the newest first."""

    branding: Branding
    emails: Sequence[EmailView]


@dataclass(frozen=True, slots=True)
class SelectAccountView:
    """`user_name` and `identifier` are of the account that is signed in."""

    branding: Branding
    application: ApplicationView
    user_name: str
    identifier: str
    action: str
    form_token: str


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """Asks before an answer goes to a program that any other could stand in for."""

    branding: Branding
    application: ApplicationView
    user_name: str
    action: str
    form_token: str


@dataclass(frozen=True, slots=True)
class WebMessageView:
    """`origin` is the registered one that may read the answer; `answer` is JSON."""

    origin: str
    answer: str


@dataclass(frozen=True, slots=True)
class ErrorView:
    """`branding` is None while the tenant is not known."""

    branding: Branding | None
    error: str
    description: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class LogoutView:
    """`fields` carries the request's own parameters over to the confirmation."""

    branding: Branding
    application: ApplicationView | None
    action: str
    form_token: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckSessionView:
    """`cookie` is the name of the cookie that says whether the sign-in has changed."""

    cookie: str


@dataclass(frozen=True, slots=True)
class SignedOutView:
    """`frames` tell applications; then the browser goes on to `continue_uri`, if any."""

    branding: Branding
    frames: Sequence[str] = ()
    continue_uri: str | None = None


@dataclass(frozen=True, slots=True)
class FormPostView:
    """`action` is the registered redirect URI; `fields` keep their order and exact values."""

    action: str
    fields: Sequence[tuple[str, str]]
