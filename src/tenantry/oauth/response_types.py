"""OAuth 2.0 Multiple Response Type Encoding Practices: what is answered, and in which way.

Law: what carries a token never travels in a query (§5), and each part of an answer needs the
application's grant type that makes such parts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import ApplicationFacts, ResponseTypeName
from tenantry.oauth.errors import invalid_request, require
from tenantry.rules.admission import in_order
from tenantry.rules.authorization_admission import may_answer_with, may_carry_tokens, names_openid
from tenantry.rules.redirect_uris import is_listed, is_private_use, origin_of
from tenantry.rules.response_types import named

CODE, TOKEN, ID_TOKEN = "code", "token", "id_token"
RESPONSE_TYPES = tuple(name.value for name in ResponseTypeName)
QUERY, FRAGMENT, FORM_POST, WEB_MESSAGE = "query", "fragment", "form_post", "web_message"
JWT = "jwt"
QUERY_JWT, FRAGMENT_JWT, FORM_POST_JWT = (f"{mode}.{JWT}" for mode in (QUERY, FRAGMENT, FORM_POST))
SECURED_MODES = (QUERY_JWT, FRAGMENT_JWT, FORM_POST_JWT, JWT)
RESPONSE_MODES = (QUERY, FRAGMENT, FORM_POST, WEB_MESSAGE, *SECURED_MODES)


@dataclass(frozen=True, slots=True)
class ResponseType:
    """The parts of the answer, whatever the order of the words was."""

    parts: frozenset[str]

    @property
    def has_code(self) -> bool:
        return CODE in self.parts

    @property
    def has_token(self) -> bool:
        return TOKEN in self.parts

    @property
    def has_id_token(self) -> bool:
        return ID_TOKEN in self.parts

    @property
    def in_front(self) -> bool:
        """Whether a token is in the answer of the authorization endpoint."""
        return self.parts != {CODE}

    @property
    def default_mode(self) -> str:
        return FRAGMENT if self.in_front else QUERY


def parse(value: str) -> ResponseType | None:
    """None for what is not supported."""
    name = named(value)
    return ResponseType(name.parts) if name else None


def usable_mode(
    asked: str | None, response_type: ResponseType | None, application: ApplicationFacts, uri: str
) -> str:
    """The mode that the answer has, errors included: the one asked for if it may be used."""
    default = response_type.default_mode if response_type else QUERY
    allowed = {
        QUERY: response_type is None or not response_type.in_front,
        FRAGMENT: True,
        FORM_POST: not is_private_use(uri),
        WEB_MESSAGE: _is_web_origin(uri, application),
        # JARM §2.3.1: tokens travel in a query in no other way than encrypted.
        QUERY_JWT: response_type is None
        or not response_type.in_front
        or application.authorization_encrypted_response_alg is not None,
        FRAGMENT_JWT: True,
        FORM_POST_JWT: not is_private_use(uri),
    }
    if asked is not None and allowed.get(asked, False):
        return asked
    # JARM §2.3.4: `jwt` is the default mode of the response type, as a JWT.
    return f"{default}.{JWT}" if asked in SECURED_MODES else default


def _is_web_origin(uri: str, application: ApplicationFacts) -> bool:
    """Web Message Response Mode: the answer is posted to a registered origin or to nobody."""
    origin = origin_of(uri)
    return origin is not None and is_listed(origin, application.web_origins)


def require_mode(asked: str | None, used: str) -> None:
    if asked in {None, used} or (asked == JWT and used in SECURED_MODES):
        return
    if asked == QUERY_JWT:
        raise invalid_request("The response_mode query.jwt carries tokens only encrypted.")
    if asked == QUERY:
        # §5: "the Response Mode query … MUST NOT be used" where the answer carries a token.
        raise invalid_request("The response_mode query cannot carry tokens.")
    if asked == WEB_MESSAGE:
        raise invalid_request(
            "The response_mode web_message needs a redirect_uri at a registered web origin."
        )
    if asked in {FORM_POST, FORM_POST_JWT}:
        raise invalid_request(f"The response_mode {asked} needs an http or https redirect_uri.")
    raise invalid_request(f"The response_mode must be one of {', '.join(RESPONSE_MODES)}.")


def require_allowed(
    response_type: ResponseType,
    application: ApplicationFacts,
    redirect_uri: str,
    scopes: tuple[str, ...],
    nonce: str | None,
) -> None:
    """What the application's settings and OpenID Connect Core ask of a response type."""
    parts = response_type.parts
    require(in_order(may_answer_with(application, parts), names_openid(parts, scopes)))
    # §3.2.2.1 and §3.3.2.11: "Use of the nonce Claim is REQUIRED".
    if response_type.has_id_token and nonce is None:
        raise invalid_request("The parameter nonce is missing.")
    require(may_carry_tokens(parts, redirect_uri))
