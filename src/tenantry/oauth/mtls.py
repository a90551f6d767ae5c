"""RFC 8705: applications that prove who they are, and what their tokens are for, by a certificate.

Law: a certificate counts only where the address says how it arrives, and only this module says
what it proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenantry.core.client_certificates import ClientCertificate
from tenantry.core.confirmation import Confirmation
from tenantry.core.credentials import CredentialFacts, CredentialType
from tenantry.core.facts import ApplicationFacts, TenantFacts, TokenEndpointAuthMethod
from tenantry.oauth.errors import InvalidClient
from tenantry.rules.addresses import TenantAddress, alias_of
from tenantry.rules.client_certificates import names_certificate
from tenantry.services.client_keys import certificates_of
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store import credentials

METHODS = tuple(method.value for method in TokenEndpointAuthMethod if method.uses_certificate)
_ALIASED = (
    "token_endpoint",
    "pushed_authorization_request_endpoint",
    "backchannel_authentication_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
)
ALIAS_PATHS = frozenset(
    {
        "/oauth/token",
        "/oauth/par",
        "/bc-authorize",
        "/oauth/device/code",
        "/oauth/revoke",
        "/oauth/introspect",
        "/userinfo",
    }
)


@dataclass(frozen=True, slots=True)
class ProvenCertificate:
    """Whom a certificate proved; only `verify` makes it."""

    client_id: str


async def verify(
    runtime: Runtime, context: RequestContext, application: ApplicationFacts
) -> ProvenCertificate:
    """§2: by the name that an authority vouches for, or by the very certificate."""
    certificate = context.certificate
    if certificate is None:
        raise InvalidClient("no client certificate was presented")
    now = runtime.clock.now()
    if not certificate.is_current(now):
        raise InvalidClient("the client certificate has expired, or is not valid yet")
    stored = await runtime.configuration.get(
        context.address.tenant_id, credentials.of_application, application.id
    )
    enabled = application.client_authentication_credentials
    working = [each for each in stored or () if each.id in enabled and each.works_at(now)]
    if application.token_endpoint_auth_method is TokenEndpointAuthMethod.TLS_CLIENT_AUTH:
        # §2.1: "the validity of the certificate chain" is for who terminates TLS.
        if not certificate.verified_by_ca:
            raise InvalidClient("no certificate authority vouches for the client certificate")
        if not (names_certificate(application, certificate) or _names(working, certificate)):
            raise InvalidClient("the client certificate has another name")
        return ProvenCertificate(application.client_id)
    # §2.2: "successfully authenticated if the certificate … matches one of the certificates
    # configured or registered for that particular client".
    if _has(working, certificate):
        return ProvenCertificate(application.client_id)
    presented = certificate.x5t_s256
    tenant_id = context.address.tenant_id
    if presented not in await certificates_of(runtime, tenant_id, application, presented):
        raise InvalidClient("the client certificate is not registered")
    return ProvenCertificate(application.client_id)


def _names(working: list[CredentialFacts], certificate: ClientCertificate) -> bool:
    return any(
        each.credential_type is CredentialType.CERT_SUBJECT_DN
        and each.subject_dn == certificate.subject_dn
        for each in working
    )


def _has(working: list[CredentialFacts], certificate: ClientCertificate) -> bool:
    return any(each.x5t_s256 == certificate.x5t_s256 for each in working)


def confirmation(application: ApplicationFacts, context: RequestContext) -> Confirmation | None:
    """§3: what the tokens of an application that wants it are bound to."""
    certificate = context.certificate
    if certificate is None or not application.tls_client_certificate_bound_access_tokens:
        return None
    return Confirmation(x5t_s256=certificate.x5t_s256)


def described(
    metadata: dict[str, Any], address: TenantAddress, tenant: TenantFacts
) -> dict[str, Any]:
    """§3.3 and §5: what of it works at this address, and where."""
    if not address.takes_certificates:
        return {
            name: [each for each in value if each not in METHODS]
            if name.endswith("_auth_methods_supported")
            else value
            for name, value in metadata.items()
        }
    bound = metadata | {"tls_client_certificate_bound_access_tokens": True}
    if not tenant.enable_mtls_endpoint_aliases:
        return bound
    aliases = {name: alias_of(metadata[name]) for name in _ALIASED if name in metadata}
    return bound | {"mtls_endpoint_aliases": aliases}
