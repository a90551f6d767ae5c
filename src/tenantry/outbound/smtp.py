"""Mail to the operator's own server, by SMTP.

Law: a message has one recipient, and what is written into its headers is one line.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime, make_msgid
from typing import Literal

import aiosmtplib

from tenantry.core.emails import RenderedEmail

Security = Literal["starttls", "implicit", "none"]
_TIMEOUT = 20.0


class MailRefused(Exception):
    """The server did not take a message. Says nothing of what is in it."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes, and from whom. `password` is None where the server asks for none."""

    host: str
    port: int
    security: Security
    user: str | None
    password: str | None
    sender: str

    async def send(
        self, recipient: str, content: RenderedEmail, sender_name: str, reply_to: str | None
    ) -> None:
        """Hands one message over; MailRefused where the server does not take it."""
        message = _message(self.sender, recipient, content, sender_name, reply_to)
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.security == "implicit",
                start_tls=self.security == "starttls",
                tls_context=None if self.security == "none" else context,
                timeout=_TIMEOUT,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(each.code) for each in error.recipients)
            raise MailRefused(f"the recipient was refused: {codes}") from None
        except aiosmtplib.SMTPResponseException as error:
            raise MailRefused(f"{type(error).__name__}: {error.code}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailRefused(type(error).__name__) from None


def _message(
    sender: str,
    recipient: str,
    content: RenderedEmail,
    sender_name: str,
    reply_to: str | None,
) -> EmailMessage:
    """RFC 5322, with a text and an HTML part (RFC 2046 §5.1.4)."""
    message = EmailMessage(policy=SMTP)
    from_ = _address(sender, sender_name)
    message["From"] = from_
    message["To"] = _address(recipient)
    if reply_to is not None:
        message["Reply-To"] = _address(reply_to)
    message["Subject"] = content.subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=from_.domain)
    # RFC 3834 §5: nobody's absence is told to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    return message


def _address(spec: str, name: str = "") -> Address:
    local, _, domain = spec.rpartition("@")
    try:
        return Address(
            display_name=_line(name), username=local, domain=domain.encode("idna").decode()
        )
    except (ValueError, IndexError, HeaderParseError, UnicodeError) as error:
        raise MailRefused("an address that mail has no form for") from error


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
