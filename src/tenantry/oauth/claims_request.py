"""OpenID Connect Core §5.5: which claims an application asks for one by one.

Law: a claim that was asked for is released only with the consent that its scope would need, and
one that cannot be given is left out, but for `sub` and an essential `acr`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.rules.claims import CLAIMS_OF_SCOPE
from tenantry.rules.fields import encodable

MAX_LENGTH = 4_096
MAX_CLAIMS = 64
_SCOPE_OF_CLAIM = {name: scope for scope, names in CLAIMS_OF_SCOPE.items() for name in names}
_MALFORMED = "The parameter claims is not a JSON object of claim requests."
Wanted = Mapping[str, "list[Any] | None"]
"""The names of claims, each with the values that alone are wanted, or None for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsRequest:
    """What is left of the parameter after what nobody knows was dropped (§5.5)."""

    userinfo: Wanted
    id_token: Wanted
    subjects: tuple[str, ...] | None = None
    acr_values: tuple[str, ...] = ()
    essential_acr: bool = False
    auth_time: bool = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes whose consent covers these claims."""
        return tuple(
            dict.fromkeys(_SCOPE_OF_CLAIM[name] for name in (*self.userinfo, *self.id_token))
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ClaimsRequest:
        subjects = stored["subjects"]
        return cls(
            **{
                **stored,
                "subjects": None if subjects is None else tuple(subjects),
                "acr_values": tuple(stored["acr_values"]),
            }
        )


NOTHING = ClaimsRequest(userinfo={}, id_token={})


@dataclass(frozen=True, slots=True)
class WantedClaims:
    """What an authorization request wants to be told, beside what the scopes release."""

    claims: ClaimsRequest
    acr_values: tuple[str, ...]
    auth_time: bool


NOTHING_WANTED = WantedClaims(NOTHING, (), auth_time=False)


def read(value: str | None) -> ClaimsRequest:
    """The parameter `claims`, bounded; unknown members are ignored as §5.5 says."""
    if value is None:
        return NOTHING
    if len(value) > MAX_LENGTH:
        raise invalid_request(f"The parameter claims is longer than {MAX_LENGTH} characters.")
    try:
        document = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise invalid_request(_MALFORMED) from None
    if not isinstance(document, dict):
        raise invalid_request(_MALFORMED)
    userinfo, id_token = (_members(document.get(name)) for name in ("userinfo", "id_token"))
    acr = id_token.get("acr")
    subjects = [_values(wanted["sub"]) for wanted in (userinfo, id_token) if "sub" in wanted]
    return ClaimsRequest(
        userinfo=_known(userinfo),
        id_token=_known(id_token),
        subjects=_common(subjects),
        acr_values=_texts(_values(acr)),
        essential_acr=bool(acr and acr.get("essential")),
        auth_time="auth_time" in id_token,
    )


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _members(value: Any) -> dict[str, dict[str, Any] | None]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_CLAIMS:
        raise invalid_request(_MALFORMED)
    for member in value.values():
        # §5.5.1: null, or an object with `essential`, `value`, `values`.
        if member is not None and not isinstance(member, dict):
            raise invalid_request(_MALFORMED)
        if member and not isinstance(member.get("essential", False), bool):
            raise invalid_request(_MALFORMED)
        if member and not isinstance(member.get("values", []), list):
            raise invalid_request(_MALFORMED)
    return value


def _values(member: dict[str, Any] | None) -> list[Any] | None:
    if member is None:
        return None
    values = [member["value"]] if "value" in member else member.get("values")
    return None if values is None else [value for value in values if _is_plain(value)]


def _is_plain(value: Any) -> bool:
    """Whether a claim of ours may have the value, so that it is worth keeping."""
    return encodable(value) if isinstance(value, str) else isinstance(value, int)


def _known(members: Mapping[str, dict[str, Any] | None]) -> dict[str, list[Any] | None]:
    return {name: _values(member) for name, member in members.items() if name in _SCOPE_OF_CLAIM}


def _texts(values: Iterable[Any] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if isinstance(value, str))


def _common(lists: Iterable[list[Any] | None]) -> tuple[str, ...] | None:
    """The subjects that satisfy every request of `sub`; None where none is named."""
    found: tuple[str, ...] | None = None
    for values in lists:
        if values is not None:
            texts = _texts(values)
            found = texts if found is None else tuple(text for text in found if text in texts)
    return found


def read_acr_values(value: str | None, supported: tuple[str, ...]) -> tuple[str, ...]:
    """§3.1.2.1: the contexts in order of preference, within the tenant's list if it has one."""
    asked = tuple(dict.fromkeys((value or "").split()))
    require_supported(asked, supported)
    return asked


def require_supported(asked: Iterable[str], supported: tuple[str, ...]) -> None:
    if supported and not set(asked) <= set(supported):
        raise invalid_request("The acr_values are not among those that the tenant supports.")


def unmet(request: ClaimsRequest, satisfied: Iterable[str]) -> OAuthError | None:
    """§5.5.1.1: an essential `acr` with values that are not met fails the authentication."""
    if not request.essential_acr or not request.acr_values:
        return None
    if set(request.acr_values) & set(satisfied):
        return None
    return OAuthError(
        "unmet_authentication_requirements",
        "The sign-in does not satisfy the requested acr.",
    )
