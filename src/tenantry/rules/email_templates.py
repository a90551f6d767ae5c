"""How messages are worded: Liquid, with few tags and filters, so that nothing runs for long.

Law: what a message tells is escaped in its HTML part, and its subject is one line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError

from tenantry.core.emails import EmailTemplate, EmailTemplateName, RenderedEmail
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import clean_text, encodable

MAX_SUBJECT, MAX_BODY = 200, 16_384
_MAX_LINE = 500
# Neither loops nor variables nor other templates: the output is no longer than the input allows.
_TAGS = frozenset({"case", "comment", "content", "if", "illegal", "output", "unless"})
_FILTERS = frozenset(
    [
        "append",
        "capitalize",
        "default",
        "downcase",
        "escape",
        "escape_once",
        "newline_to_br",
        "prepend",
        "strip",
        "truncate",
        "upcase",
        "url_encode",
    ]
)
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

# What is inside of a tag; a range there may have a thousand million members.
_INSIDE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_RANGE = ".."

DEFAULTS: Mapping[EmailTemplateName, EmailTemplate] = {
    EmailTemplateName.ASYNC_APPROVAL: EmailTemplate(
        template=EmailTemplateName.ASYNC_APPROVAL,
        subject="{{ application.name }} asks for your approval",
        text=(
            "{{ application.name }} asks you to approve something at {{ tenant.name }}.\n"
            "{% if binding_message != '' %}\nIt says: {{ binding_message }}\n{% endif %}"
            "\nLook at it, and approve or deny it, here:\n{{ url }}\n"
            "\nThe link works until {{ expires_at }}. If you do not know what this is about, "
            "deny it or do nothing.\n"
        ),
        html=(
            "<p><strong>{{ application.name }}</strong> asks you to approve something at "
            "{{ tenant.name }}.</p>\n"
            "{% if binding_message != '' %}<p>It says: <strong>{{ binding_message }}</strong></p>\n"
            "{% endif %}"
            '<p><a href="{{ url }}">Look at it, and approve or deny it</a></p>\n'
            "<p>The link works until {{ expires_at }}. If you do not know what this is about, "
            "deny it or do nothing.</p>\n"
        ),
    ),
}
SAMPLES: Mapping[EmailTemplateName, Mapping[str, Any]] = {
    EmailTemplateName.ASYNC_APPROVAL: {
        "application": {"name": "Bank"},
        "tenant": {"name": "Example"},
        "user": {"name": "Ann", "email": "ann@example.com"},
        "url": "https://auth.example.com/u/approval?ticket=0",
        "binding_message": "W-1234",
        "expires_at": "1970-01-01 00:00 UTC",
    },
}
"""What each message knows, by which a template is tried before it is stored."""


class _Environment(Environment):
    output_stream_limit = 200_000
    context_depth_limit = 5
    block_nesting_limit = 10


def _environment(*, autoescape: bool) -> _Environment:
    made = _Environment(autoescape=autoescape, undefined=StrictUndefined)
    made.tags = {name: made.tags[name] for name in _TAGS}
    made.filters = {name: made.filters[name] for name in _FILTERS}
    return made


_HTML, _TEXT = _environment(autoescape=True), _environment(autoescape=False)


def email_templates(value: Sequence[Any], path: tuple[str, ...]) -> tuple[EmailTemplate, ...]:
    """A wording for each message at most, each of which was tried."""
    seen: set[EmailTemplateName] = set()
    checked = []
    for index, given in enumerate(value):
        place = (*path, str(index))
        if given.template in seen:
            raise DomainError(
                ErrorCode.INVALID, "The message has a template already.", *place, "template"
            )
        seen.add(given.template)
        checked.append(_template(given, place))
    return tuple(checked)


def _template(given: EmailTemplate, path: tuple[str, ...]) -> EmailTemplate:
    made = replace(
        given,
        subject=clean_text(given.subject, (*path, "subject"), MAX_SUBJECT, 1),
        html=_body(given.html, (*path, "html")),
        text=_body(given.text, (*path, "text")),
    )
    sample = SAMPLES[made.template]
    for name, environment in (("subject", _TEXT), ("html", _HTML), ("text", _TEXT)):
        if any(_RANGE in inside for inside in _INSIDE.findall(getattr(made, name))):
            raise DomainError(ErrorCode.INVALID, "Ranges are not allowed.", *path, name)
        try:
            _rendered(environment, getattr(made, name), sample)
        except LiquidError as error:
            reason = str(error).partition("\n")[0][:_MAX_LINE]
            raise DomainError(
                ErrorCode.INVALID, f"The template is no Liquid that works: {reason}.", *path, name
            ) from None
    return made


def _body(value: str, path: tuple[str, ...]) -> str:
    body = value.strip()
    if not encodable(body) or set(_BREAKS.sub("", body)) != set(body) - set("\t\r\n"):
        raise DomainError(ErrorCode.INVALID, "Control characters are not allowed.", *path)
    if not 1 <= len(body) <= MAX_BODY:
        raise DomainError(ErrorCode.OUT_OF_RANGE, f"From 1 to {MAX_BODY} characters.", *path)
    return body


def template_of(templates: Sequence[EmailTemplate], name: EmailTemplateName) -> EmailTemplate:
    """The tenant's wording, or ours."""
    return {each.template: each for each in templates}.get(name, DEFAULTS[name])


def render(template: EmailTemplate, values: Mapping[str, Any]) -> RenderedEmail:
    """`values` are those of `SAMPLES`."""
    subject = _BREAKS.sub(" ", _rendered(_TEXT, template.subject, values)).strip()
    return RenderedEmail(
        subject[:_MAX_LINE],
        _rendered(_HTML, template.html, values),
        _rendered(_TEXT, template.text, values),
    )


def _rendered(environment: Environment, source: str, values: Mapping[str, Any]) -> str:
    return str(environment.from_string(source).render(**values))
