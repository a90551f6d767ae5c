"""Password hashes that other systems made: read once when they come, checked at the next login.

The forms are the PHC string format (argon2, PBKDF2, scrypt), bcrypt's own, and bcrypt over a digest
as Django and passlib write it. Bounds on the cost keep a hash from taking longer than about a
second or more than 256 MiB.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

import bcrypt
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MAX_LENGTH = 512
_MAX_KIB = 262_144
_MAX_ARGON2_KIB_PASSES = 1_048_576
_MAX_LANES = 16
_BCRYPT_COSTS = range(4, 15)
_BCRYPT_BYTES = 72
_MAX_ITERATIONS = 2_000_000
_MAX_SCRYPT_LOG_N, _MAX_SCRYPT_WORK = 20, 2**21
_DIGESTS = {
    "pbkdf2": "sha1",
    "pbkdf2-sha1": "sha1",
    "pbkdf2-sha256": "sha256",
    "pbkdf2-sha512": "sha512",
}
_SALT_BYTES, _KEY_BYTES = range(8, 65), range(16, 65)
# The last four bits of a salt say nothing, and must be zero.
_BCRYPT_SALT, _BCRYPT_KEY = r"[./A-Za-z0-9]{21}[.Oeu]", r"[./A-Za-z0-9]{31}"
_BCRYPT = re.compile(rf"\$2[aby]\$(\d\d)\${_BCRYPT_SALT}{_BCRYPT_KEY}")
_PASSLIB = re.compile(
    rf"\$bcrypt-sha256\$(?:v=2,t=(?P<new>2b),r=|(?P<old>2[ab]),)(?P<cost>\d{{1,2}})"
    rf"\$(?P<salt>{_BCRYPT_SALT})\$(?P<key>{_BCRYPT_KEY})"
)
DJANGO_BCRYPT_SHA256 = "bcrypt_sha256$"
_PARAMETER = re.compile(r"([a-z]{1,9})=([1-9]\d{0,9})")
_ARGON2 = PasswordHasher()
_DEFAULT_SCRYPT_BYTES = 32 * 1024 * 1024


class UnusableHash(ValueError):
    """Why a hash cannot be kept."""


@dataclass(frozen=True, slots=True)
class _Derived:
    """A salted key of PBKDF2 or scrypt, with what derives it again."""

    derive: Callable[[bytes], bytes]
    key: bytes


def check_hash(stored: str) -> None:
    """UnusableHash unless a login could check a password against it at a bearable cost."""
    if len(stored) > MAX_LENGTH or not stored.isascii():
        raise UnusableHash(f"At most {MAX_LENGTH} ASCII characters.")
    if stored.startswith("$argon2"):
        _check_argon2(stored)
    elif (over_digest := _over_digest(b"", stored)) is not None:
        _check_bcrypt(over_digest[1])
    elif stored.startswith("$2"):
        _check_bcrypt(stored)
    else:
        _derived(stored)


def verify_hash(password: str, stored: str) -> bool:
    """Whether the password made the hash, which passed `check_hash` when it came."""
    try:
        if stored.startswith("$argon2"):
            return _ARGON2.verify(stored, password)
        secret = password.encode()
        if (over_digest := _over_digest(secret, stored)) is not None:
            return bcrypt.checkpw(over_digest[0], over_digest[1].encode())
        if stored.startswith("$2"):
            # bcrypt itself sees no more than these.
            return bcrypt.checkpw(secret[:_BCRYPT_BYTES], stored.encode())
        derived = _derived(stored)
        return hmac.compare_digest(derived.derive(secret), derived.key)
    except (VerificationError, InvalidHashError, ValueError, MemoryError):
        return False


def _check_argon2(stored: str) -> None:
    try:
        parameters = extract_parameters(stored)
        salt, key = (_decoded(part) for part in stored.split("$")[-2:])
    except InvalidHashError:
        raise UnusableHash("Not an argon2 hash in the PHC string format.") from None
    if parameters.type not in set(Type) or parameters.version not in {16, 19}:
        raise UnusableHash("argon2 is version 16 or 19 of argon2i, argon2d or argon2id.")
    memory, passes, lanes = (
        parameters.memory_cost,
        parameters.time_cost,
        parameters.parallelism,
    )
    if not (
        8 * lanes <= memory <= _MAX_KIB
        and passes >= 1
        and memory * passes <= _MAX_ARGON2_KIB_PASSES
        and 1 <= lanes <= _MAX_LANES
    ):
        raise UnusableHash(
            f"argon2 takes at most {_MAX_KIB} KiB, {_MAX_ARGON2_KIB_PASSES} KiB over all passes, "
            f"and {_MAX_LANES} lanes."
        )
    _require_lengths(salt, key)


def _check_bcrypt(stored: str) -> None:
    match = _BCRYPT.fullmatch(stored)
    if match is None:
        raise UnusableHash("Not a bcrypt hash: $2a$, $2b$ or $2y$, a cost and 53 characters.")
    if int(match[1]) not in _BCRYPT_COSTS:
        raise UnusableHash(f"The cost of bcrypt is 4 to {_BCRYPT_COSTS.stop - 1}.")


def _over_digest(secret: bytes, stored: str) -> tuple[bytes, str] | None:
    """What bcrypt is given instead of the password, and its hash; None for another form."""
    if stored.startswith(DJANGO_BCRYPT_SHA256):
        digest = hashlib.sha256(secret).hexdigest()
        return digest.encode(), stored.removeprefix(DJANGO_BCRYPT_SHA256)
    match = _PASSLIB.fullmatch(stored)
    if match is None:
        return None
    salt, kind = match["salt"], match["new"] or match["old"]
    if match["new"]:
        made = hmac.digest(salt.encode(), secret, "sha256")
    else:
        made = hashlib.sha256(secret).digest()
    return base64.b64encode(made), f"${kind}${int(match['cost']):02}${salt}{match['key']}"


def _derived(stored: str) -> _Derived:
    name, *rest = stored.split("$")[1:] if stored.startswith("$") else [""]
    if name in _DIGESTS and len(rest) == 3:
        return _pbkdf2(_DIGESTS[name], *rest)
    if name == "scrypt" and len(rest) == 3:
        return _scrypt(*rest)
    raise UnusableHash("Must be a hash of argon2, bcrypt, PBKDF2 or scrypt.")


def _pbkdf2(digest: str, parameters: str, salt_text: str, key_text: str) -> _Derived:
    # Some write the iterations without a name.
    given = {"i": int(parameters)} if _is_number(parameters) else _parameters(parameters)
    salt, key = _decoded(salt_text), _decoded(key_text)
    iterations = given.pop("i", 0)
    if given.pop("l", len(key)) != len(key) or given:
        raise UnusableHash("PBKDF2 has the parameters i (iterations) and l (bytes of the hash).")
    if not 1 <= iterations <= _MAX_ITERATIONS:
        raise UnusableHash(f"PBKDF2 has 1 to {_MAX_ITERATIONS} iterations.")
    _require_lengths(salt, key)
    # Each block of the key costs all iterations, and one is as hard to meet as any further.
    first = key[: hashlib.new(digest).digest_size]
    return _Derived(
        lambda secret: hashlib.pbkdf2_hmac(digest, secret, salt, iterations, len(first)), first
    )


def _scrypt(parameters: str, salt_text: str, key_text: str) -> _Derived:
    given = _parameters(parameters)
    salt, key = _decoded(salt_text), _decoded(key_text)
    if set(given) != {"ln", "r", "p"} or given["ln"] > _MAX_SCRYPT_LOG_N:
        raise UnusableHash("scrypt has the parameters ln (1 to 20), r and p.")
    n, r, p = 2 ** given["ln"], given["r"], given["p"]
    if 128 * n * r > _MAX_KIB * 1024 or n * r * p > _MAX_SCRYPT_WORK:
        raise UnusableHash(
            f"scrypt takes at most {_MAX_KIB} KiB, and N·r·p is at most {_MAX_SCRYPT_WORK}."
        )
    _require_lengths(salt, key)
    memory = 128 * r * (n + p + 2) + _DEFAULT_SCRYPT_BYTES
    return _Derived(
        lambda secret: hashlib.scrypt(
            secret, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=len(key)
        ),
        key,
    )


def _parameters(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in text.split(","):
        match = _PARAMETER.fullmatch(part)
        if match is None or match[1] in found:
            raise UnusableHash("The parameters of the hash are name=number, with commas between.")
        found[match[1]] = int(match[2])
    return found


def _is_number(text: str) -> bool:
    return text.isdigit() and len(text) <= 10


def _decoded(text: str) -> bytes:
    """PHC's base64 without padding; a `.` stands for `+` in what some libraries write."""
    try:
        standard = text.replace(".", "+")
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UnusableHash("The salt or the hash is not base64 without padding.") from None


def _require_lengths(salt: bytes, key: bytes) -> None:
    if len(salt) not in _SALT_BYTES or len(key) not in _KEY_BYTES:
        raise UnusableHash("A salt has 8 to 64 bytes, a hash 16 to 64.")
