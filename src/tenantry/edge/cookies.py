"""Cookies: named for the tenant, bound to the issuer's path."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.ids import new_token
from tenantry.rules.addresses import TenantAddress

_MAX_COOKIE = 128
_BROWSER_MAX_AGE = 3600 * 24


def _name(kind: str, address: TenantAddress) -> str:
    return f"tenantry_{kind}_{address.tenant_id}"


def _read(request: Request, kind: str, address: TenantAddress) -> str | None:
    value = request.cookies.get(_name(kind, address))
    return value if value and len(value) <= _MAX_COOKIE and value.isascii() else None


def session_cookie(request: Request, address: TenantAddress) -> str | None:
    return _read(request, "session", address)


def browser_cookie(request: Request, address: TenantAddress) -> str | None:
    """What binds authorizations and forms to this browser."""
    return _read(request, "browser", address)


def browser_or_new(request: Request, address: TenantAddress) -> str:
    return browser_cookie(request, address) or new_token()


def state_cookie_name(address: TenantAddress) -> str:
    return _name("state", address)


def state_cookie(request: Request, address: TenantAddress) -> str:
    """What a script of ours may read: it changes at each login and logout, and says no more."""
    return _read(request, "state", address) or ""


def _set(
    response: Response,
    kind: str,
    address: TenantAddress,
    value: str,
    max_age: int | None,
    *,
    by_script: bool = False,
) -> None:
    # Over https frames and cross-site POSTs need None; http is for loopback alone.
    response.set_cookie(
        _name(kind, address),
        value,
        max_age=max_age,
        path=address.cookie_path,
        secure=address.is_https,
        httponly=not by_script,
        samesite="none" if address.is_https else "lax",
    )


def set_browser(response: Response, address: TenantAddress, value: str) -> None:
    _set(response, "browser", address, value, _BROWSER_MAX_AGE)


def set_session(
    response: Response, address: TenantAddress, value: str, browser_state: str, max_age: int
) -> None:
    _set(response, "session", address, value, max_age)
    _set(response, "state", address, browser_state, max_age, by_script=True)


def clear_session(response: Response, address: TenantAddress) -> None:
    _set(response, "session", address, "", 0)
    _set(response, "state", address, new_token(), _BROWSER_MAX_AGE, by_script=True)
