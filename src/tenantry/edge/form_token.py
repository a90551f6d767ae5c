"""The anti-forgery token of a form: bound to the browser and to what the form decides."""

from __future__ import annotations

from tenantry.keys.vault import Vault

_PURPOSE = "form token"


def form_token(vault: Vault, browser: str, subject: str) -> str:
    return vault.digest(f"{browser}|{subject}", _PURPOSE)


def is_form_token(vault: Vault, value: str | None, browser: str | None, subject: str) -> bool:
    if not value or not browser or not value.isascii():
        return False
    return vault.matches(f"{browser}|{subject}", value, _PURPOSE)
