"""RFC 4514: names of certificate subjects, in one form so that they can be compared.

The form has a relative name on each line, in the order of the certificate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cryptography.x509 import Name, ObjectIdentifier
from cryptography.x509.oid import NameOID

MAX_DISTINGUISHED_NAME = 2_048
# Beside those that RFC 4514 §3 has, what common tools write.
_SHORT: Mapping[str, ObjectIdentifier] = {
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "T": NameOID.TITLE,
    "title": NameOID.TITLE,
    "postalCode": NameOID.POSTAL_CODE,
    "businessCategory": NameOID.BUSINESS_CATEGORY,
    "jurisdictionC": NameOID.JURISDICTION_COUNTRY_NAME,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}
_WRITTEN: Mapping[ObjectIdentifier, str] = {
    oid: name for name, oid in reversed(list(_SHORT.items()))
}
_READ: Mapping[str, ObjectIdentifier] = {
    **{name.upper(): oid for name, oid in _SHORT.items()},
    "E": NameOID.EMAIL_ADDRESS,
}
_TYPE = re.compile(r"(^|[,+])\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=\s*")
_SPECIAL = re.compile(r'[\\"+,;<>=\x00-\x1f]')


class NotAName(ValueError):
    """It does not name a subject."""


def canonical(text: str) -> str:
    """Of relative names on lines, or of one string as RFC 4514 writes it (the last one first)."""
    if len(text) > MAX_DISTINGUISHED_NAME:
        raise NotAName
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        raise NotAName
    if len(lines) == 1:
        return rendered(_parsed(lines[0]))
    return "\n".join(rendered(_relative(line)) for line in lines)


def rendered(name: Name) -> str:
    lines = []
    for relative in name.rdns:
        pairs = sorted(
            f"{_WRITTEN.get(each.oid, each.oid.dotted_string)}={_escaped(each.value)}"
            for each in relative
        )
        lines.append("+".join(pairs))
    return "\n".join(lines)


def _parsed(text: str) -> Name:
    """Names of types in any case, and with spaces after the separators."""
    try:
        name = Name.from_rfc4514_string("".join(_tidy(text)), dict(_READ))
    except ValueError as error:
        raise NotAName from error
    if not name.rdns:
        raise NotAName
    return name


def _tidy(text: str) -> Iterator[str]:
    position = 0
    for match in _TYPE.finditer(text):
        if _is_escaped(text, match.start()):
            continue
        before = text[position : match.start()]
        tidy = before.rstrip(" ")
        yield f"{tidy} " if _is_escaped(tidy, len(tidy)) and tidy != before else tidy
        yield f"{match[1]}{match[2].upper()}="
        position = match.end()
    yield text[position:]


def _is_escaped(text: str, index: int) -> bool:
    before = text[:index]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _relative(line: str) -> Name:
    """One relative name; what is not escaped may be meant as it stands."""
    try:
        name = _parsed(line)
        if len(name.rdns) == 1:
            return name
    except NotAName:
        pass
    kind, equals, value = line.partition("=")
    if not equals:
        raise NotAName
    return _parsed(f"{kind.strip()}={_escaped(value.strip())}")


def _escaped(value: str | bytes) -> str:
    text = value if isinstance(value, str) else value.decode("latin-1")

    def escape(match: re.Match[str]) -> str:
        character = match[0]
        return f"\\{ord(character):02x}" if character < " " else f"\\{character}"

    result = _SPECIAL.sub(escape, text)
    # As a number, so that no tidying of lines takes it away.
    if result.startswith(" "):
        result = f"\\20{result[1:]}"
    if result.endswith(" "):
        result = f"{result[:-1]}\\20"
    return f"\\{result}" if result.startswith("#") else result
