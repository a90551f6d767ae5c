"""A name server on this machine, for the TXT records of custom domains."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from functools import cache

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

SILENT = "silent"
BROKEN = "broken"


@dataclass
class NameServer:
    """`records` are the strings of each TXT record of a name; what is not there does not exist.

    `faults` names that are not answered, or not well. `asked` are the names of all questions.
    """

    address: tuple[str, int] = ("", 0)
    records: dict[str, list[tuple[bytes, ...]]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def say(self, name: str, *texts: str) -> None:
        """Puts texts at a name, in place of those before."""
        self.records[name] = [(text.encode(),) for text in texts]

    def answer(self, question: bytes) -> bytes | None:
        query = dns.message.from_wire(question)
        (asked,) = query.question
        name = asked.name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        fault = self.faults.get(name)
        if fault == SILENT:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if fault == BROKEN:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.records:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif records := self.records[name]:
            found = [TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings) for strings in records]
            response.answer.append(dns.rrset.from_rdata_list(asked.name, 60, found))
        return response.to_wire(max_size=65_535)


def _udp(server: NameServer, listener: socket.socket) -> None:
    while True:
        question, peer = listener.recvfrom(4096)
        answer = server.answer(question)
        if answer is None:
            continue
        if len(answer) > 1232:  # Too long for a datagram: to be asked again by TCP.
            cut = dns.message.make_response(dns.message.from_wire(question))
            cut.flags |= dns.flags.TC
            answer = cut.to_wire()
        listener.sendto(answer, peer)


def _tcp(server: NameServer, listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            length = int.from_bytes(stream.read(2))
            answer = server.answer(stream.read(length))
            if answer is not None:
                stream.write(len(answer).to_bytes(2) + answer)
                stream.flush()


def _sockets() -> tuple[socket.socket, socket.socket]:
    """UDP and TCP at one port, which nobody else has of either."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
        else:
            return udp, tcp


@cache
def name_server() -> NameServer:
    """The one of this process: every server of the tests asks it and no other."""
    made = NameServer()
    udp, tcp = _sockets()
    made.address = udp.getsockname()
    tcp.listen()
    threading.Thread(target=_udp, args=(made, udp), daemon=True).start()
    threading.Thread(target=_tcp, args=(made, tcp), daemon=True).start()
    return made
