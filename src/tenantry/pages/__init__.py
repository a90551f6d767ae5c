"""What a person sees: pure rendering, from a frozen view to a string of HTML."""

from tenantry.pages.headers import PageKind, security_headers
from tenantry.pages.render import (
    STATIC_DIR,
    asset_url,
    consent_page,
    error_page,
    form_post_page,
    login_page,
    logout_page,
    signed_out_page,
)
from tenantry.pages.scopes import scope_groups
from tenantry.pages.views import (
    ApplicationView,
    Branding,
    ConsentView,
    ErrorView,
    FormPostView,
    LoginView,
    LogoutView,
    ScopeGroup,
    ScopeText,
    SignedOutView,
)

__all__ = [
    "STATIC_DIR",
    "ApplicationView",
    "Branding",
    "ConsentView",
    "ErrorView",
    "FormPostView",
    "LoginView",
    "LogoutView",
    "PageKind",
    "ScopeGroup",
    "ScopeText",
    "SignedOutView",
    "asset_url",
    "consent_page",
    "error_page",
    "form_post_page",
    "login_page",
    "logout_page",
    "scope_groups",
    "security_headers",
    "signed_out_page",
]
