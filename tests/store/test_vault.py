"""The vault: what is sealed opens under the keys of the settings, at its row, unaltered."""

from __future__ import annotations

import base64

import pytest
from cryptography.exceptions import InvalidTag

from tenantry.keys.vault import (
    UndecryptableError,
    Vault,
    generate_encryption_key,
    open_under,
    parse_encryption_key,
    seal_under,
)

OLD, NEW = bytes(32), bytes([1]) * 32
ROW = "signing_keys/tenant/kid"


def test_what_is_sealed_opens_again() -> None:
    vault = Vault([OLD])
    envelope = vault.encrypt(b"secret", ROW)
    assert b"secret" not in base64.urlsafe_b64decode(envelope.rpartition(".")[2])
    assert vault.decrypt(envelope, ROW) == b"secret"
    assert vault.encrypt(b"secret", ROW) != envelope


def test_the_first_key_seals_and_every_key_opens() -> None:
    before = Vault([OLD]).encrypt(b"secret", ROW)
    both = Vault([NEW, OLD])
    assert both.decrypt(before, ROW) == b"secret"
    after = both.encrypt(b"secret", ROW)
    assert Vault([NEW]).decrypt(after, ROW) == b"secret"
    for vault, envelope in ((Vault([NEW]), before), (Vault([OLD]), after)):
        with pytest.raises(UndecryptableError, match=ROW):
            vault.decrypt(envelope, ROW)


def test_an_envelope_is_bound_to_its_row() -> None:
    envelope = Vault([OLD]).encrypt(b"secret", ROW)
    with pytest.raises(UndecryptableError):
        Vault([OLD]).decrypt(envelope, "signing_keys/other/kid")


def test_an_altered_envelope_does_not_open() -> None:
    vault = Vault([OLD])
    head, _, text = vault.encrypt(b"secret", ROW).rpartition(".")
    sealed = base64.urlsafe_b64decode(text)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(UndecryptableError):
            vault.decrypt(f"{head}.{base64.urlsafe_b64encode(altered).decode()}", ROW)


@pytest.mark.parametrize(
    "envelope",
    ["", "v1", "v1.", "v2.{key}.{text}", "v1.00000000.{text}", "v1.{key}.", "v1.{key}.AAAA", "{*}"],
)
def test_what_is_no_envelope_does_not_open(envelope: str) -> None:
    vault = Vault([OLD])
    _, key, text = vault.encrypt(b"secret", ROW).split(".")
    with pytest.raises(UndecryptableError):
        vault.decrypt(envelope.replace("{key}", key).replace("{text}", text), ROW)


@pytest.mark.parametrize("text", ["v1.{key}.A", "v1.{key}.\u00e9", "v1.{key}.****"])
def test_what_is_no_base64_does_not_open(text: str) -> None:
    vault = Vault([OLD])
    key = vault.encrypt(b"secret", ROW).split(".")[1]
    with pytest.raises(UndecryptableError):
        vault.decrypt(text.replace("{key}", key), ROW)


def test_a_digest_matches_its_value_and_purpose() -> None:
    vault = Vault([OLD])
    digest = vault.digest("secret", "client secret")
    assert vault.matches("secret", digest, "client secret")
    assert not vault.matches("secret2", digest, "client secret")
    assert not vault.matches("", digest, "client secret")
    assert not vault.matches("secret", digest, "session")
    assert not vault.matches("secret", None, "client secret")
    assert not vault.matches("secret", "0" * 64, "client secret")
    assert not Vault([NEW]).matches("secret", digest, "client secret")


def test_digests_outlive_a_change_of_keys() -> None:
    before = Vault([OLD]).digest("secret", "session")
    both = Vault([NEW, OLD])
    assert both.matches("secret", before, "session")
    assert both.digests("secret", "session") == [Vault([NEW]).digest("secret", "session"), before]
    assert both.digest("secret", "session") != before


def test_keys_are_written_in_base64url_or_hexadecimal() -> None:
    text = generate_encryption_key()
    assert len(parse_encryption_key(text)) == 32
    assert text != generate_encryption_key()
    assert parse_encryption_key("ff" * 32) == b"\xff" * 32
    assert parse_encryption_key(base64.urlsafe_b64encode(b"\xff" * 32).decode()) == b"\xff" * 32
    for wrong in ("", "secret", "zz" * 32, "ff" * 31, "é" * 43):
        with pytest.raises(ValueError, match=r"base64url|bytes instead"):
            parse_encryption_key(wrong)


def test_what_is_sealed_under_a_presented_key_opens_under_it_alone() -> None:
    sealed = seal_under("presented", b"answer", ROW)
    assert open_under("presented", sealed, ROW) == b"answer"
    for secret, text, row in (
        ("other", sealed, ROW),
        ("presented", sealed, "elsewhere"),
        ("presented", sealed[:-1] + bytes([sealed[-1] ^ 1]), ROW),
    ):
        with pytest.raises(InvalidTag):
            open_under(secret, text, row)


def test_a_lasting_digest_survives_a_new_first_key() -> None:
    old, both = Vault([OLD]), Vault([NEW, OLD])
    assert old.lasting_digest("user", "a") == both.lasting_digest("user", "a")
    assert both.lasting_digest("user", "a") != both.digest("user", "a")
    assert old.lasting_digest("user", "a") != old.lasting_digest("user", "b")
