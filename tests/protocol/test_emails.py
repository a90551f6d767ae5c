"""Mail: how it is worded, what it is made of, and where a development server keeps it."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from anyio.from_thread import BlockingPortal
from pydantic import SecretStr, ValidationError

from tenantry.core.emails import EmailTemplate, EmailTemplateName, RenderedEmail
from tenantry.core.errors import DomainError
from tenantry.outbound.mail_settings import MailSettings
from tenantry.outbound.smtp import MailRefused, Security
from tenantry.outbound.smtp import MailServer as Outgoing
from tenantry.rules.email_templates import DEFAULTS, SAMPLES, email_templates, render
from tests.support.browser import Browser
from tests.support.ciba import EMAIL, ask, asked, asking, deliveries, opened
from tests.support.client_certificates import Made, authority, made
from tests.support.databases import Databases
from tests.support.flow import authorize, log_in, refused, request_for, sign_in
from tests.support.loops import run_apart
from tests.support.mail import MailServer, receiving
from tests.support.server import Server, Tenant, begun

NAME = EmailTemplateName.ASYNC_APPROVAL
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A development server without a mail server."""
    with databases.url("sqlite") as url, begun(url, portal) as made:
        yield made


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with receiving() as made:
        yield made


def outgoing(mail: MailServer) -> Outgoing:
    return Outgoing(mail.host, mail.port, "none", None, None, "no-reply@auth.example.com")


def template(**changes: str) -> EmailTemplate:
    given = {"subject": "S", "html": "<p>H</p>", "text": "T"} | changes
    return EmailTemplate(template=NAME, **given)


def test_a_message_has_both_parts(mail: MailServer) -> None:
    """RFC 2046 §5.1.4, RFC 5322 §3.6 and RFC 3834 §5."""
    mail.messages.clear()
    content = RenderedEmail("Gruß", "<p>Hällo</p>", "Hällo")
    run_apart(outgoing(mail).send(EMAIL, content, "Bank, Ltd", "help@example.com"))
    (message,) = mail.messages
    assert message["subject"] == "Gruß"
    assert message["from"] == '"Bank, Ltd" <no-reply@auth.example.com>'
    assert (message["to"], message["reply-to"]) == (EMAIL, "help@example.com")
    assert message["auto-submitted"] == "auto-generated"
    assert message["message-id"].endswith("@auth.example.com>")
    assert message["date"]
    assert (mail.text().strip(), mail.html().strip()) == ("Hällo", "<p>Hällo</p>")


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\u2028", "\x00"])
def test_no_header_is_injected(mail: MailServer, break_: str) -> None:
    """RFC 5322 §2.2: whatever is told, in a name or in a subject."""
    mail.messages.clear()
    evil = f"x{break_}Bcc: eve@example.com"
    values = dict(SAMPLES[NAME]) | {"application": {"name": evil}}
    content = render(template(subject="{{ application.name }}"), values)
    run_apart(outgoing(mail).send(EMAIL, content, evil, None))
    (message,) = mail.messages
    assert message["bcc"] is None
    assert mail.recipients[-1] == [EMAIL]
    assert "Bcc: eve@example.com" in message["subject"]


@pytest.mark.parametrize("recipient", ["a\r\nb@example.com", "no address"])
def test_an_odd_address_gets_no_mail(mail: MailServer, recipient: str) -> None:
    mail.messages.clear()
    with pytest.raises(MailRefused):
        run_apart(outgoing(mail).send(recipient, RenderedEmail("S", "H", "T"), "", None))
    assert mail.messages == []


def test_a_refusal_says_nothing_of_the_message(mail: MailServer) -> None:
    mail.refusals.append("550 no https://auth.example.com/u/approval?ticket=secret here")
    with pytest.raises(MailRefused) as refusal:
        run_apart(outgoing(mail).send(EMAIL, RenderedEmail("S", "H", "T"), "", None))
    assert "550" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("expression", ["{{ application.name }}", "{{ binding_message | upcase }}"])
def test_what_a_message_tells_is_escaped(expression: str) -> None:
    values = dict(SAMPLES[NAME]) | {"application": {"name": EVIL}, "binding_message": EVIL}
    shown = render(template(html=expression), values)
    assert "<" not in shown.html
    assert "&lt;" in shown.html.lower()
    assert "<img" in render(template(text="{{ application.name }}"), values).text


@pytest.mark.parametrize(
    "filter_", ["append: binding_message", "prepend: binding_message", "truncate: 9", "capitalize"]
)
def test_no_filter_takes_the_escaping_away(filter_: str) -> None:
    values = dict(SAMPLES[NAME]) | {"application": {"name": EVIL}, "binding_message": EVIL}
    made = render(template(html=f"{{{{ application.name | {filter_} }}}}"), values)
    assert "<" not in made.html


@pytest.mark.parametrize(
    "source",
    [
        "{{ nobody }}",
        "{{ url | safe }}",
        "{{ url.__class__ }}",
        "{{ url",
        "{% for i in (1..9) %}{{ i }}{% endfor %}",
        "{% include 'x' %}",
        "{% assign x = 1 %}",
        "{% if (1..1000000000) contains 0 %}x{% endif %}",
        "{{ (1..1000000000) | default: 1 }}",
        "{% if url %}",
        "{% if url %}" * 50 + "{% endif %}" * 50,
        "x" * 16_385,
        " ",
        "a\x00b",
    ],
)
def test_a_template_that_does_not_work_is_refused(source: str) -> None:
    for part in ("html", "text"):
        with pytest.raises(DomainError):
            email_templates([template(**{part: source})], ("email_templates",))


def test_a_message_has_one_template() -> None:
    with pytest.raises(DomainError):
        email_templates([template(), template()], ("email_templates",))
    assert email_templates([DEFAULTS[NAME]], ("email_templates",))[0].template is NAME


def test_the_tenant_s_own_words(
    server: Server, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.user(EMAIL, email_verified=True)
    tenant.change(
        friendly_name="The Bank",
        email_templates=(template(text="{{ tenant.name }}: {{ binding_message }} {{ url }}"),),
    )
    with caplog.at_level(logging.DEBUG):
        asked(tenant, asking(tenant), binding_message="W-7")
        assert deliveries(server) == 1
    content = mailbox_texts(server)[0]
    assert content.startswith("The Bank: W-7 http")
    ticket = content.partition("ticket=")[2]
    assert ticket not in caplog.text
    assert ticket not in str([event.details for event in tenant.events()])


def mailbox_texts(server: Server) -> list[str]:
    """What an operator reads in the mailbox."""
    page = operator(server).get(server.root.url("u/mailbox"))
    assert page.title == "Mailbox"
    found = re.findall(r"<section.*?<pre>(.*?)</pre>", page.response.text, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", text) for text in found]


def operator(server: Server) -> Browser:
    """A browser in which the first administrator is signed in."""
    browser, root = server.browser(), server.root
    client = root.application(name="Console")
    page = authorize(browser, root, request_for(client).parameters)
    log_in(browser, page, "admin@example.com")
    return browser


def test_a_development_server_shows_its_mail_to_operators(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """What would be sent is kept, and read by nobody else."""
    tenant.user(EMAIL, email_verified=True)
    asked(tenant, asking(tenant, name=EVIL.replace("<", "").replace(">", "")))
    assert deliveries(server) == 1
    root = server.root
    assert browser.get(root.url("u/mailbox")).status == 403
    assert browser.get(tenant.url("u/mailbox")).status == 404
    root.user("clerk@example.com")
    sign_in(browser, tenant, tenant.application())
    assert browser.get(root.url("u/mailbox")).status == 403
    link = re.findall(r"http\S+", mailbox_texts(server)[0])[0]
    assert opened(browser, link).title == "Allow access"


def test_mail_goes_within_a_bound() -> None:
    """A server that does not answer ends an attempt."""
    unreachable = Outgoing("127.0.0.1", 9, "none", None, None, "no-reply@example.com")
    with pytest.raises(MailRefused):
        run_apart(
            asyncio.wait_for(
                unreachable.send(EMAIL, RenderedEmail("S", "H", "T"), "", None), timeout=25
            )
        )


def test_nothing_is_sent_without_the_protection_that_is_set(mail: MailServer) -> None:
    """RFC 3207 §6: whoever takes STARTTLS out of the answer learns nothing."""
    mail.messages.clear()
    for security in ("starttls", "implicit"):
        strict = Outgoing(mail.host, mail.port, security, "me", "secret", "no-reply@example.com")
        with pytest.raises(MailRefused):
            run_apart(strict.send(EMAIL, RenderedEmail("S", "H", "T"), "", None))
    assert mail.messages == []


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    """The certificate of a mail server on this machine, whose authority OpenSSL is told of."""
    path = tmp_path / "authorities.pem"
    path.write_text(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return made("mail", for_hosts=("localhost",))


def context_of(identity: Made, path: Path) -> ssl.SSLContext:
    certificate, key = path / "certificate.pem", path / "key.pem"
    certificate.write_text(identity.pem)
    key.write_text(identity.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def login(_: object, __: object, ___: object, mechanism: str, data: Any) -> AuthResult:
    known = (data.login, data.password) == (b"me", b"secret")
    return AuthResult(success=known, handled=False)


@pytest.mark.parametrize("security", ["starttls", "implicit"])
def test_mail_goes_over_tls(trusted: Made, tmp_path: Path, security: Security) -> None:
    """RFC 3207 and RFC 8314 §3.3: to a server that shows a good certificate, with the password."""
    context = context_of(trusted, tmp_path)
    options: dict[str, Any] = {"hostname": "localhost", "authenticator": login}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True, "auth_require_tls": True}
    else:
        # Of implicit TLS the server's protocol knows nothing.
        options |= {"ssl_context": context, "auth_require_tls": False}
    with receiving(**options) as mail:
        good = Outgoing("localhost", mail.port, security, "me", "secret", "no-reply@example.com")
        run_apart(good.send(EMAIL, RenderedEmail("S", "H", "T"), "", None))
        assert mail.recipients == [[EMAIL]]
        wrong = Outgoing("localhost", mail.port, security, "me", "wrong", "no-reply@example.com")
        with pytest.raises(MailRefused, match="SMTPAuthenticationError: 535"):
            run_apart(wrong.send(EMAIL, RenderedEmail("S", "H", "T"), "", None))
        # The certificate names localhost, not the address.
        other = Outgoing("127.0.0.1", mail.port, security, "me", "secret", "no-reply@example.com")
        with pytest.raises(MailRefused):
            run_apart(other.send(EMAIL, RenderedEmail("S", "H", "T"), "", None))
        assert len(mail.messages) == 1


@pytest.mark.parametrize("security", ["starttls", "implicit"])
def test_a_certificate_of_nobody_is_refused(tmp_path: Path, security: Security) -> None:
    """RFC 8314 §5.4: the password is not for whoever answers at the address."""
    context = context_of(made("mail", for_hosts=("localhost",)), tmp_path)
    name = "tls_context" if security == "starttls" else "ssl_context"
    options: dict[str, Any] = {"hostname": "localhost", name: context}
    with receiving(**options) as mail:
        strict = Outgoing("localhost", mail.port, security, "me", "secret", "no-reply@example.com")
        with pytest.raises(MailRefused):
            run_apart(strict.send(EMAIL, RenderedEmail("S", "H", "T"), "", None))
        assert mail.messages == []


def test_a_server_for_the_public_without_a_mail_server_sends_nothing(
    databases: Databases, portal: BlockingPortal
) -> None:
    """Neither is mail kept there: the application hears that nobody can be asked."""
    with databases.url("sqlite") as url:
        made = Server(url, portal, public_url="https://auth.example.com")
        made.begin()
        tenant = made.tenant()
        tenant.user(EMAIL, email_verified=True)
        refused(ask(tenant, asking(tenant)), 400, "invalid_request")
        assert made.browser().get(made.root.url("u/mailbox")).status == 404
        made.close()


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_user": "me"},
        {"smtp_password": SecretStr("secret")},
        {"smtp_user": "me", "smtp_password": SecretStr("secret"), "smtp_tls": "none"},
        {"mail_from": "a@example.com, b@example.com"},
        {"mail_from": "a@example.com\nBcc: b@example.com"},
    ],
)
def test_settings_that_do_not_go_together(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MailSettings(smtp_host="mail.example.com", **values)
