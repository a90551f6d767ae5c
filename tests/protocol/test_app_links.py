"""The documents by which devices let programs open the tenant's links."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.errors import DomainError
from tests.support.server import Tenant

FINGERPRINT = ":".join(["14", "6d", *["E9"] * 30])
ANDROID: dict[str, Any] = {
    "android_app_package_name": "com.example.shop",
    "android_sha256_cert_fingerprints": [FINGERPRINT],
}
IOS: dict[str, Any] = {
    "ios_team_id": "86WQXF56BC",
    "ios_app_bundle_identifier": "com.example.Shop-App",
}


def read(tenant: Tenant, path: str) -> Any:
    answer = tenant.server.client.get(tenant.url(path))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_android(tenant: Tenant) -> None:
    """Digital Asset Links, statement list: one statement for each application."""
    assert read(tenant, ".well-known/assetlinks.json") == []
    client = tenant.application("native", **ANDROID)
    tenant.application("native")
    tenant.server.tenant().application("native", **ANDROID)
    assert read(tenant, ".well-known/assetlinks.json") == [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": "com.example.shop",
                "sha256_cert_fingerprints": [FINGERPRINT.upper()],
            },
        }
    ]
    tenant.change_application(
        client, android_app_package_name=None, android_sha256_cert_fingerprints=[]
    )
    assert read(tenant, ".well-known/assetlinks.json") == []


@pytest.mark.parametrize(
    "path", ["apple-app-site-association", ".well-known/apple-app-site-association"]
)
def test_apple(tenant: Tenant, path: str) -> None:
    """Associated Domains, `applinks`."""
    tenant.application("native", **IOS)
    assert read(tenant, path) == {
        "applinks": {
            "apps": [],
            "details": [
                {
                    "appID": "86WQXF56BC.com.example.Shop-App",
                    "paths": ["/ios/com.example.Shop-App/*"],
                }
            ],
        }
    }


@pytest.mark.parametrize(
    "values, field",
    [
        ({"android_app_package_name": "com.example"}, "android_sha256_cert_fingerprints"),
        ({"android_sha256_cert_fingerprints": [FINGERPRINT]}, "android_app_package_name"),
        ({"ios_team_id": "86WQXF56BC"}, "ios_app_bundle_identifier"),
        ({"ios_app_bundle_identifier": "com.example"}, "ios_team_id"),
        (ANDROID | {"android_app_package_name": "shop"}, "android_app_package_name"),
        (ANDROID | {"android_app_package_name": 'com."x'}, "android_app_package_name"),
        (
            ANDROID | {"android_sha256_cert_fingerprints": [FINGERPRINT[:-1]]},
            "android_sha256_cert_fingerprints",
        ),
        (
            ANDROID | {"android_sha256_cert_fingerprints": [FINGERPRINT] * 11},
            "android_sha256_cert_fingerprints",
        ),
        (IOS | {"ios_team_id": "86wqxf56bc"}, "ios_team_id"),
        (IOS | {"ios_app_bundle_identifier": "../*"}, "ios_app_bundle_identifier"),
    ],
)
def test_what_is_refused(tenant: Tenant, values: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refusal:
        tenant.application("native", **values)
    assert refusal.value.field[0] == field
