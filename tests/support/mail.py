"""A mail server on this machine that keeps what it was handed."""

from __future__ import annotations

import email
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class MailServer:
    """`refusals` are the answers to the next messages; afterwards all are taken."""

    host: str = "127.0.0.1"
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """Of a server that hands its mail to this one."""
        return {"smtp_host": self.host, "smtp_port": self.port, "smtp_tls": "none"}

    def text(self, number: int = -1) -> str:
        """The part without HTML."""
        part = self.messages[number].get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def html(self, number: int = -1) -> str:
        part = self.messages[number].get_body(("html",))
        assert part is not None
        return str(part.get_content())

    def link(self, number: int = -1) -> str:
        """The one address in a message."""
        found = re.findall(r"https?://\S+", self.text(number))
        assert len(found) == 1, found
        return str(found[0])


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_DATA(self, _: object, __: object, envelope: Any) -> str:  # noqa: N802
        if self._server.refusals:
            return self._server.refusals.pop(0)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self._server.messages.append(message)
        self._server.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def receiving(hostname: str = "127.0.0.1", **options: Any) -> Iterator[MailServer]:
    """`options` are those of the controller, such as how it protects connections."""
    made = MailServer(host=hostname, port=_free_port())
    controller = Controller(_Handler(made), hostname=made.host, port=made.port, **options)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
