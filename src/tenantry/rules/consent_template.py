"""How a tenant words what authorization details mean: Liquid within bounds, of which text and plain
markup is left.

Law: no value of a request becomes markup, and nothing of the template runs, loads, links or hides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nh3
from liquid import Environment
from liquid.exceptions import LiquidError

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import encodable

MAX_TEMPLATE = 16_384
MAX_OUTPUT = 65_536
# No variables, other templates or arithmetic: the output grows with the request alone.
_TAGS = frozenset({"case", "comment", "content", "for", "if", "illegal", "output", "unless"})
_FILTERS = frozenset(
    [
        "append",
        "capitalize",
        "default",
        "downcase",
        "escape",
        "first",
        "join",
        "last",
        "newline_to_br",
        "prepend",
        "size",
        "strip",
        "truncate",
        "upcase",
    ]
)
_MARKUP = frozenset(
    [
        "b",
        "bdi",
        "br",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "span",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
# A range may have a thousand million members, which some operators look at one by one.
_RANGE = ".."
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_SAMPLE = {
    "transaction": {"params": {"authorization_details": [{"type": "payment"}]}, "linking_id": ""},
    "application": {"name": "Shop"},
    "user": {"name": "Ann"},
}


class _Bounded(Environment):
    output_stream_limit = MAX_OUTPUT
    loop_iteration_limit = 1_000
    context_depth_limit = 12
    block_nesting_limit = 10


def _environment() -> _Bounded:
    made = _Bounded(autoescape=True)
    made.tags = {name: tag for name, tag in made.tags.items() if name in _TAGS}
    made.filters = {name: each for name, each in made.filters.items() if name in _FILTERS}
    return made


_ENVIRONMENT = _environment()


def consent_template(value: Any, path: tuple[str, ...]) -> str:
    """A template that was tried."""
    source = str(value).strip()
    if not encodable(source) or _CONTROL.search(source):
        raise DomainError(ErrorCode.INVALID, "Control characters are not allowed.", *path)
    if not 1 <= len(source) <= MAX_TEMPLATE:
        raise DomainError(ErrorCode.OUT_OF_RANGE, f"From 1 to {MAX_TEMPLATE} characters.", *path)
    if _RANGE in source:
        raise DomainError(ErrorCode.INVALID, "Two dots in a row are not allowed.", *path)
    try:
        _ENVIRONMENT.from_string(source).render(**_SAMPLE)
    except LiquidError as error:
        reason = str(error).partition("\n")[0][:200]
        raise DomainError(
            ErrorCode.INVALID, f"The template is no Liquid that works: {reason}.", *path
        ) from None
    return source


def render(source: str, values: Mapping[str, Any]) -> str | None:
    """Safe markup; None where the template fails for these values, or says nothing."""
    try:
        rendered = _ENVIRONMENT.from_string(source).render(**values)
    except LiquidError:
        return None
    return nh3.clean(rendered, tags=set(_MARKUP), attributes={}).strip() or None
