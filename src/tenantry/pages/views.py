"""The facts that each page shows. Nothing here is trusted: the templates escape all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class LoginView:
    branding: Branding
    application: ApplicationView
    action: str
    form_token: str
    login_hint: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ScopeText:
    value: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ScopeGroup:
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsentView:
    branding: Branding
    application: ApplicationView
    user_name: str
    action: str
    form_token: str
    groups: tuple[ScopeGroup, ...]


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
class SignedOutView:
    branding: Branding


@dataclass(frozen=True, slots=True)
class FormPostView:
    """`action` is the registered redirect URI; `fields` keep their order and exact values."""

    action: str
    fields: Sequence[tuple[str, str]]
