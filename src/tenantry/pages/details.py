"""Authorization details as a person reads them: in the tenant's words, and one by one below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tenantry.pages import safe
from tenantry.pages.views import DetailsView, ScopeGroup
from tenantry.rules.consent_template import render

_MAX_VALUE = 255


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks whom, and by which name the transaction is known elsewhere."""

    application_name: str
    user_name: str
    linking_id: str | None = None


def details_view(
    details: Sequence[dict[str, Any]], template: str | None, asked: Asked
) -> DetailsView | None:
    """None where there are none. A template that fails leaves the list."""
    if not details:
        return None
    worded = None
    if template is not None:
        values = {
            "transaction": {
                "params": {"authorization_details": _shown(list(details))},
                "linking_id": asked.linking_id or "",
            },
            "application": {"name": safe.text(asked.application_name)},
            "user": {"name": safe.text(asked.user_name)},
        }
        worded = render(template, values)
    groups = tuple(
        ScopeGroup(str(detail["type"]), tuple(_lines(detail, skipped="type"))) for detail in details
    )
    # It was made of escaped values, and cleaned.
    return DetailsView(groups, Markup(worded) if worded else None)  # noqa: S704


def _shown(value: Any) -> Any:
    """The same with texts that cannot read as another."""
    if isinstance(value, str):
        return safe.text(value, _MAX_VALUE)
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    return value


def _lines(value: dict[str, Any], prefix: str = "", skipped: str = "") -> Iterator[str]:
    """A line for each value, named by the way to it."""
    for name, member in value.items():
        if name == skipped:
            continue
        path = f"{prefix}{name}"
        yield from _line(path, member)


def _line(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _lines(value, f"{path}.")
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            yield from _line(f"{path}.{index + 1}", item)
    elif isinstance(value, list):
        yield f"{path}: {', '.join(_word(item) for item in value)}"
    else:
        yield f"{path}: {_word(value)}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
