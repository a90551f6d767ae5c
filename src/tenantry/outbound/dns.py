"""TXT records, asked of the resolvers that the settings name.

Law: one question, for so long and for so much; that nothing is known is not that nothing is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

LIFETIME = 3.0
"""Seconds for an answer, with every resolver and repetition."""
MAX_RECORDS = 100
MAX_TEXT = 1024


class DnsUnavailable(Exception):
    """The resolvers did not say whether there are records."""


class TxtResolver:
    """Asks `servers`, pairs of address and port, or without any those of the system."""

    def __init__(self, servers: Sequence[tuple[str, int]] = (), lifetime: float = LIFETIME) -> None:
        self._servers = tuple(servers)
        self._lifetime = lifetime

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, the strings of each joined; none where it has none."""
        try:
            answer = await self._resolver().resolve(
                dns.name.from_text(name), "TXT", lifetime=self._lifetime, search=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnavailable(type(error).__name__) from error
        return tuple(
            text
            for record in list(answer)[:MAX_RECORDS]
            if isinstance(record, TXTBase) and (text := _joined(record)) is not None
        )

    def _resolver(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in self._servers
            ]
        resolver.timeout = self._lifetime / 2
        return resolver


def _joined(record: TXTBase) -> str | None:
    """RFC 7208 §3.3: a record of several strings is read as one, without spaces between them."""
    whole = b"".join(record.strings)
    return whole.decode() if len(whole) <= MAX_TEXT and whole.isascii() else None
