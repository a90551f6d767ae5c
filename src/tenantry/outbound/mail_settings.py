"""What an operator says of the mail server: a part of the settings of a process."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic import model_validator as validates_model
from pydantic_settings import BaseSettings

from tenantry.outbound.smtp import MailServer


class MailSettings(BaseSettings):
    """`TENANTRY_SMTP_*` and `TENANTRY_MAIL_FROM`."""

    smtp_host: str | None = Field(
        None,
        description="The server that mail is handed to; by default none: then a development server "
        "shows mail at /u/mailbox, and any other sends none.",
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="The port of the mail server.")
    smtp_tls: Literal["starttls", "implicit", "none"] = Field(
        "starttls", description="How the connection is protected: starttls, implicit or none."
    )
    smtp_user: str | None = Field(None, description="The name to sign in to it with, if any.")
    smtp_password: SecretStr | None = Field(None, description="The password that goes with it.")
    mail_from: str | None = Field(
        None,
        description="The address that mail comes from; by default no-reply@ and the host of the "
        "public URL.",
    )

    @field_validator("mail_from")
    @classmethod
    def _check_mail_from(cls, value: str | None) -> str | None:
        if value and (value.count("@") != 1 or not value.isascii() or not value.isprintable()):
            raise ValueError("must be one email address")
        return value or None

    @validates_model(mode="after")
    def _check_login(self) -> MailSettings:
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("TENANTRY_SMTP_USER and TENANTRY_SMTP_PASSWORD go together")
        if self.smtp_user is not None and self.smtp_tls == "none":
            raise ValueError("TENANTRY_SMTP_PASSWORD is not sent without TLS")
        return self

    def mail_server(self, public_url: str) -> MailServer | None:
        """Where mail goes; None where no server is set."""
        if not self.smtp_host:
            return None
        host = urlsplit(public_url).hostname or "localhost"
        return MailServer(
            self.smtp_host,
            self.smtp_port,
            self.smtp_tls,
            self.smtp_user,
            self.smtp_password.get_secret_value() if self.smtp_password else None,
            self.mail_from or f"no-reply@{host}",
        )
