"""Scopes as a person reads them.

Scopes written `action:resource` are gathered by resource, one line each; the OpenID Connect
scopes have sentences of their own; anything else is shown as it is.
"""

import re
from collections.abc import Sequence

from tenantry.pages.views import ScopeGroup, ScopeText

ACCOUNT_TITLE = "Your account"
OTHER_TITLE = "Other permissions"

_ACCOUNT = {
    "openid": "Know who you are",
    "profile": "See your name, picture and other profile details",
    "email": "See your email address",
    "address": "See your postal address",
    "phone": "See your phone number",
    "offline_access": "Keep this access while you are away",
}
_ACTION_RESOURCE = re.compile(r"(?P<action>[A-Za-z][\w-]*):(?P<resource>[A-Za-z][\w.-]*)")


def scope_groups(scopes: Sequence[ScopeText], use_descriptions: bool) -> tuple[ScopeGroup, ...]:
    """Group what is asked for: the account first, then each resource, then the rest."""
    account: list[str] = []
    resources: dict[str, tuple[list[str], list[str]]] = {}
    other: list[str] = []
    for scope in {scope.value: scope for scope in scopes}.values():
        description = scope.description.strip() if use_descriptions else ""
        if scope.value in _ACCOUNT:
            account.append(description or _ACCOUNT[scope.value])
        elif match := _ACTION_RESOURCE.fullmatch(scope.value):
            described, actions = resources.setdefault(_words(match["resource"]), ([], []))
            if description:
                described.append(description)
            else:
                actions.append(_words(match["action"]))
        else:
            other.append(description or scope.value)

    groups = [ScopeGroup(ACCOUNT_TITLE, _unique(account))] if account else []
    for resource, (described, actions) in resources.items():
        line = [f"{_listed(_unique(actions))} your {resource}"] if actions else []
        title = resource[0].upper() + resource[1:]
        groups.append(ScopeGroup(title, _unique([*described, *line])))
    if other:
        groups.append(ScopeGroup(OTHER_TITLE, _unique(other)))
    return tuple(groups)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip()


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _unique(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
