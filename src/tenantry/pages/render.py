"""From a view to its page."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tenantry.pages import safe
from tenantry.pages.views import (
    ApprovalAnsweredView,
    ApprovalView,
    CheckSessionView,
    ConfirmView,
    ConsentView,
    DeviceAnsweredView,
    DeviceView,
    ErrorView,
    FormPostView,
    LoginView,
    LogoutView,
    MailboxView,
    OrganizationPromptView,
    SelectAccountView,
    SignedOutView,
    WebMessageView,
)

STATIC_DIR = Path(__file__).parent / "static"
ASSETS_PATH = "/assets/pages/"


@cache
def asset_url(name: str) -> str:
    """The address of a static file, which changes when its content does."""
    digest = sha256((STATIC_DIR / name).read_bytes()).hexdigest()[:16]
    return f"{ASSETS_PATH}{name}?v={digest}"


def login_page(view: LoginView) -> str:
    return _render("login.html", view)


def organization_prompt_page(view: OrganizationPromptView) -> str:
    return _render("organization.html", view)


def consent_page(view: ConsentView) -> str:
    return _render("consent.html", view)


def device_page(view: DeviceView) -> str:
    return _render("device.html", view)


def device_answered_page(view: DeviceAnsweredView) -> str:
    return _render("device_answered.html", view)


def error_page(view: ErrorView) -> str:
    return _render("error.html", view)


def logout_page(view: LogoutView) -> str:
    return _render("logout.html", view)


def check_session_page(view: CheckSessionView) -> str:
    return _render("check_session.html", view)


def signed_out_page(view: SignedOutView) -> str:
    return _render("signed_out.html", view)


def approval_page(view: ApprovalView) -> str:
    return _render("approval.html", view)


def approval_answered_page(view: ApprovalAnsweredView) -> str:
    return _render("approval_answered.html", view)


def mailbox_page(view: MailboxView) -> str:
    return _render("mailbox.html", view)


def select_account_page(view: SelectAccountView) -> str:
    return _render("select_account.html", view)


def confirm_page(view: ConfirmView) -> str:
    return _render("confirm.html", view)


def web_message_page(view: WebMessageView) -> str:
    """The answer of `response_mode=web_message`; its origin is a web address."""
    if not safe.is_web_address(view.origin):
        raise ValueError("a web_message answer needs an http or https origin")
    return _render("web_message.html", view)


def form_post_page(view: FormPostView) -> str:
    """The answer of `response_mode=form_post`; only a web address can receive it."""
    if not safe.is_web_address(view.action):
        raise ValueError("a form_post answer needs an http or https address")
    return _render("form_post.html", view)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset_url"] = asset_url
    environment.filters.update(
        web_uri=safe.web_uri,
        mail_uri=safe.mail_uri,
        text=safe.text,
        initial=safe.initial,
    )
    return environment


_ENVIRONMENT = _environment()


def _render(
    template: str,
    view: LoginView
    | CheckSessionView
    | ConfirmView
    | ConsentView
    | SelectAccountView
    | WebMessageView
    | DeviceView
    | DeviceAnsweredView
    | ErrorView
    | ApprovalAnsweredView
    | ApprovalView
    | LogoutView
    | MailboxView
    | OrganizationPromptView
    | SignedOutView
    | FormPostView,
) -> str:
    page = _ENVIRONMENT.get_template(template).render(view=view)
    # JSON can carry half a surrogate pair, which no response can be encoded with.
    return page.encode(errors="replace").decode()
