"""What binds an application on a device to the tenant's address: App Links, universal links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts

MAX_FINGERPRINTS = 10
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+")
_FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")
_TEAM = re.compile(r"[A-Z0-9]{10}")
_BUNDLE = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PAIRS = (
    ("android_app_package_name", "android_sha256_cert_fingerprints"),
    ("ios_team_id", "ios_app_bundle_identifier"),
)


def package_name(value: Any, path: tuple[str, ...]) -> str:
    return _matching(_PACKAGE, value, path, "An Android package name is like com.example.app.")


def fingerprint(value: Any, path: tuple[str, ...]) -> str:
    """In upper case, as keytool prints it."""
    upper = value.upper() if isinstance(value, str) else value
    return _matching(
        _FINGERPRINT, upper, path, "A SHA-256 fingerprint is 32 bytes in hex with colons between."
    )


def team_id(value: Any, path: tuple[str, ...]) -> str:
    return _matching(_TEAM, value, path, "An Apple team id has 10 upper-case letters and digits.")


def bundle_identifier(value: Any, path: tuple[str, ...]) -> str:
    return _matching(_BUNDLE, value, path, "A bundle identifier is like com.example.app.")


def _matching(pattern: re.Pattern[str], value: Any, path: tuple[str, ...], message: str) -> str:
    if not isinstance(value, str) or len(value) > 255 or not pattern.fullmatch(value):
        raise DomainError(ErrorCode.INVALID, message, *path)
    return value


def require_whole_links(values: Mapping[str, Any]) -> None:
    """Neither platform takes one half without the other."""
    for pair in _PAIRS:
        missing = [name for name in pair if not values[name]]
        if len(missing) == 1:
            given = next(name for name in pair if name not in missing)
            raise DomainError(
                ErrorCode.REQUIRED, f"With {given} this is needed as well.", missing[0]
            )


def asset_links(applications: Iterable[ApplicationFacts]) -> list[dict[str, Any]]:
    """Digital Asset Links, the statement list of `/.well-known/assetlinks.json`."""
    return [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": application.android_app_package_name,
                "sha256_cert_fingerprints": list(application.android_sha256_cert_fingerprints),
            },
        }
        for application in applications
        if application.android_app_package_name
    ]


def site_association(applications: Iterable[ApplicationFacts]) -> dict[str, Any]:
    """Apple's associated domains, the document `/apple-app-site-association`."""
    details = [
        {
            "appID": f"{application.ios_team_id}.{application.ios_app_bundle_identifier}",
            "paths": [f"/ios/{application.ios_app_bundle_identifier}/*"],
        }
        for application in applications
        if application.ios_app_bundle_identifier
    ]
    return {"applinks": {"apps": [], "details": details}}
