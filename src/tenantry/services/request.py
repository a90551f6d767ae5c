"""What the edge knows of a request, handed to the protocol and to the management API."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.client_certificates import ClientCertificate
from tenantry.core.context import ANONYMOUS, Actor, Caller, RequestFacts
from tenantry.core.facts import ApplicationFacts
from tenantry.rules.addresses import TenantAddress

_KEY = "tenantry.request"
_ACTING = "tenantry.acting_application"
_NONCE = "tenantry.dpop_nonce"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The tenant that the address names, the facts for the audit log, and what TLS has proven."""

    address: TenantAddress
    facts: RequestFacts
    certificate: ClientCertificate | None = None

    def caller(self, actor: Actor = ANONYMOUS) -> Caller:
        return Caller(actor, self.facts)


def attach(scope: MutableMapping[str, Any], context: RequestContext) -> None:
    """Puts the context into an ASGI scope; only the edge's middleware does."""
    scope[_KEY] = context


def request_context(scope: MutableMapping[str, Any]) -> RequestContext:
    context = scope[_KEY]
    if not isinstance(context, RequestContext):
        raise TypeError("the request was not resolved to a tenant")
    return context


def acts_for(scope: MutableMapping[str, Any], application: ApplicationFacts) -> None:
    """Says whose lists of origins decide the answer to this request."""
    scope[_ACTING] = application


def acting_application(scope: MutableMapping[str, Any]) -> ApplicationFacts | None:
    application = scope.get(_ACTING)
    return application if isinstance(application, ApplicationFacts) else None


def gives_nonce(scope: MutableMapping[str, Any], nonce: str | None) -> None:
    """RFC 9449 §8.2: the nonce that the answer gives, for the sender's next proof."""
    if nonce is not None:
        scope[_NONCE] = nonce


def given_nonce(scope: MutableMapping[str, Any]) -> str | None:
    nonce = scope.get(_NONCE)
    return nonce if isinstance(nonce, str) else None
