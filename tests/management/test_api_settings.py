"""APIs and keys as they are administered: names that mean something else, forms of certificates."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from tests.support.management import Api

RESERVED = (
    "address",
    "created_at",
    "email",
    "email_verified",
    "family_name",
    "given_name",
    "identities",
    "name",
    "nickname",
    "offline_access",
    "openid",
    "phone",
    "picture",
    "profile",
)
IDENTIFIER = "https://api.example.com"


@pytest.mark.parametrize("name", RESERVED)
def test_no_permission_has_a_reserved_name(api: Api, name: str) -> None:
    """OpenID Connect Core §5.4: these scopes and claims have a meaning of their own."""
    new = {"name": "API", "identifier": IDENTIFIER}
    scopes = [{"value": "read"}, {"value": name}]
    refusal = api.refused("resourceServerCreate", new | {"scopes": scopes})
    assert (refusal["code"], refusal["field"]) == ("INVALID", ["scopes", "1", "value"])
    assert name in refusal["message"]
    made = api.do("resourceServerCreate", "resourceServer { id }", new)["resourceServer"]
    changed = {"id": made["id"], "scopes": scopes}
    assert api.refused("resourceServerUpdate", changed)["field"] == ["scopes", "1", "value"]
    longer = {"id": made["id"], "scopes": [{"value": f"{name}:read"}]}
    done = api.do("resourceServerUpdate", "resourceServer { scopes { value } }", longer)
    assert done["resourceServer"]["scopes"] == [{"value": f"{name}:read"}]
    emptied = {"id": made["id"], "scopes": []}
    done = api.do("resourceServerUpdate", "resourceServer { scopes { value } }", emptied)
    assert done["resourceServer"]["scopes"] == []


def test_a_certificate_in_four_forms(api: Api) -> None:
    """RFC 7468 §5 and §8, RFC 5280: one certificate of each key, however it is asked for."""
    found = api.data(
        """{ signingKeys { publicKey state
        certificate { pem cer pkcs7 fingerprint thumbprint } } }"""
    )["signingKeys"]
    assert {key["state"] for key in found} == {"CURRENT", "NEXT"}
    for key in found:
        forms = key["certificate"]
        certificate = x509.load_pem_x509_certificate(forms["pem"].encode())
        der = certificate.public_bytes(Encoding.DER)
        assert base64.b64decode(forms["cer"]) == der
        assert pkcs7.load_pem_pkcs7_certificates(forms["pkcs7"].encode()) == [certificate]
        plain = {
            name: forms[name].replace(":", "").lower() for name in ("fingerprint", "thumbprint")
        }
        assert plain["fingerprint"] == hashlib.sha1(der, usedforsecurity=False).hexdigest()
        assert plain["thumbprint"] == hashlib.sha256(der).hexdigest()
        public = certificate.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        assert key["publicKey"].strip() == public.decode().strip()


def test_the_resource_profile_and_the_login_address(api: Api) -> None:
    """RFC 8707 §2 and OpenID Connect Core §4: what a tenant says of them, and back to nothing."""
    fields = "tenant { resourceParameterProfile initiateLoginUri }"
    found = api.data(f"{{ {fields} }}")["tenant"]
    assert found == {"resourceParameterProfile": "ONE", "initiateLoginUri": None}
    values = {
        "resourceParameterProfile": "SEVERAL",
        "initiateLoginUri": "https://app.example.com/login",
    }
    assert api.do("tenantUpdate", fields, values)["tenant"] == values
    cleared = api.do("tenantUpdate", fields, dict.fromkeys(values))["tenant"]
    assert cleared == found
    refusal = api.refused("tenantUpdate", {"initiateLoginUri": "javascript:alert(1)"})
    assert (refusal["code"], refusal["field"]) == ("INVALID", ["initiateLoginUri"])
