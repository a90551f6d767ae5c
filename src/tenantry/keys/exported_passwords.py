"""Password hashes as Django and Keycloak export them, rewritten into the forms that are kept."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from tenantry.keys.imported_passwords import (
    DJANGO_BCRYPT_SHA256,
    MAX_LENGTH,
    UnusableHash,
    check_hash,
)

_DJANGO_PBKDF2 = {"pbkdf2_sha1": "pbkdf2-sha1", "pbkdf2_sha256": "pbkdf2-sha256"}
_NUMBER = re.compile(r"[1-9]\d{0,9}")
_ARGON2_VERSIONS = {"1.0": 16, "1.3": 19}
_KEYCLOAK = "Not the `credentialData` and `secretData` of a password as Keycloak exports it."


def kept_form(given: str) -> str:
    """The hash as it is kept; UnusableHash unless a login could check it at a bearable cost."""
    if len(given) > MAX_LENGTH or not given.isascii():
        raise UnusableHash(f"At most {MAX_LENGTH} ASCII characters.")
    kept = _from_django(given)
    check_hash(kept)
    return kept


def keycloak_form(credential_data: str, secret_data: str) -> str:
    """The same of the two texts that Keycloak keeps of a password, each of them JSON."""
    data, secret = _object(credential_data), _object(secret_data)
    algorithm, passes = data.get("algorithm"), data.get("hashIterations")
    salt, key = (_bare(secret.get(name)) for name in ("salt", "value"))
    if not isinstance(algorithm, str) or not isinstance(passes, int):
        raise UnusableHash(_KEYCLOAK)
    if algorithm == "argon2":
        more = data.get("additionalParameters")
        more = more if isinstance(more, dict) else {}
        kind, version = _only(more, "type"), _ARGON2_VERSIONS.get(_only(more, "version"))
        memory, lanes = _only(more, "memory"), _only(more, "parallelism")
        kept = f"$argon2{kind}$v={version}$m={memory},t={passes},p={lanes}${salt}${key}"
    else:
        kept = f"${algorithm}$i={passes}${salt}${key}"
    return kept_form(kept)


def _from_django(given: str) -> str:
    name, _, rest = given.partition("$")
    if name in {"argon2", "bcrypt"}:
        return f"${rest}" if name == "argon2" else rest
    if f"{name}$" == DJANGO_BCRYPT_SHA256:
        return given
    parts = rest.split("$")
    # The salt of these is text.
    if name in _DJANGO_PBKDF2 and len(parts) == 3:
        iterations, salt, key = parts
        return f"${_DJANGO_PBKDF2[name]}$i={iterations}${_base64(salt)}${_bare(key)}"
    if name == "scrypt" and len(parts) == 5:
        work, salt, blocks, lanes, key = parts
        if not _NUMBER.fullmatch(work) or int(work).bit_count() != 1:
            raise UnusableHash("The work factor of scrypt is a power of two.")
        parameters = f"ln={int(work).bit_length() - 1},r={blocks},p={lanes}"
        return f"$scrypt${parameters}${_base64(salt)}${_bare(key)}"
    return given


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if len(text) <= 4 * MAX_LENGTH else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UnusableHash(_KEYCLOAK)
    return value


def _only(values: Mapping[str, Any], name: str) -> str:
    """Of lists that have one text each."""
    match values.get(name):
        case [str(value)]:
            return value
        case _:
            raise UnusableHash(_KEYCLOAK)


def _base64(text: str) -> str:
    return _bare(base64.b64encode(text.encode()).decode())


def _bare(text: Any) -> str:
    if not isinstance(text, str):
        raise UnusableHash(_KEYCLOAK)
    return text.rstrip("=")
