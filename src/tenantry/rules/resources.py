"""RFC 8707 §2: one token that is meant for several APIs.

Law: a scope is in it only if each API that defines the scope would have given it alone, so that
the token can do nowhere what a token for that API alone could not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields

from tenantry.core.authorization_details import ConsentPolicy
from tenantry.core.facts import AccessPolicy, ResourceServerFacts

_STRICTEST = (AccessPolicy.DENY_ALL, AccessPolicy.REQUIRE_CLIENT_GRANT, AccessPolicy.ALLOW_ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedApi(ResourceServerFacts):
    """Several APIs as one: `identifier` is theirs with spaces between, which none contains."""

    parts: tuple[ResourceServerFacts, ...]


def parts_of(api: ResourceServerFacts) -> tuple[ResourceServerFacts, ...]:
    return api.parts if isinstance(api, SharedApi) else (api,)


def together(apis: Sequence[ResourceServerFacts | None]) -> ResourceServerFacts | None:
    """Several APIs as one; None where no token of one form would do for all of them.

    The management API shares with nobody: whoever it shared with could administer.
    """
    parts = tuple(api for api in apis if api is not None)
    first = parts[0] if parts else None
    if first is None or len(parts) != len(apis):
        return None
    if any(not api.tokens_are_ours_to_read or api.is_system for api in parts):
        return None
    if len({(api.signing_alg, api.token_dialect) for api in parts}) > 1:
        return None
    same = {field.name: getattr(first, field.name) for field in fields(ResourceServerFacts)}
    every = {scope.value: scope for api in parts for scope in api.scopes}
    return SharedApi(
        **same
        | {
            "identifier": " ".join(api.identifier for api in parts),
            "name": ", ".join(api.name for api in parts),
            "scopes": tuple(every.values()),
            "token_lifetime": min(api.token_lifetime for api in parts),
            "token_lifetime_for_web": min(api.token_lifetime_for_web for api in parts),
            "skip_consent_for_first_party": all(api.skip_consent_for_first_party for api in parts),
            "allow_offline_access": all(api.allow_offline_access for api in parts),
            "user_access_policy": _strictest(api.user_access_policy for api in parts),
            "client_access_policy": _strictest(api.client_access_policy for api in parts),
            "enforce_policies": any(api.enforce_policies for api in parts),
            "authorization_details": tuple(
                dict.fromkeys(one for api in parts for one in api.authorization_details)
            ),
            "require_pushed_authorization_details": any(
                api.require_pushed_authorization_details for api in parts
            ),
            "consent_policy": _most_careful(api.consent_policy for api in parts),
            "proof_of_possession": next(filter(None, (p.proof_of_possession for p in parts)), None),
        },
        parts=parts,
    )


def _most_careful(policies: Iterable[ConsentPolicy]) -> ConsentPolicy:
    transactional = ConsentPolicy.TRANSACTIONAL_AUTHORIZATION_WITH_MFA
    return transactional if transactional in policies else ConsentPolicy.STANDARD


def _strictest(policies: Iterable[AccessPolicy]) -> AccessPolicy:
    return min(policies, key=_STRICTEST.index)


def shared_scopes(
    allowed: Sequence[tuple[ResourceServerFacts, Collection[str] | None]],
) -> tuple[str, ...] | None:
    """What all APIs allow of the scopes that they define; None where one allows nothing at all."""
    scopes: dict[str, bool] = {}
    for api, given in allowed:
        if given is None:
            return None
        for scope in api.scope_values:
            scopes[scope] = scopes.get(scope, True) and scope in given
    return tuple(scope for scope, everywhere in scopes.items() if everywhere)
