"""Answers of `/graphql` as they are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. A request error has no `data`; nothing of the operation ran then."""

    body: Mapping[str, Any]
    status: int = 200


def errors_of(*errors: GraphQLError) -> dict[str, Any]:
    return {"errors": [error.formatted for error in errors]}


def refused(*errors: GraphQLError) -> Answer:
    """429 where the caller has used up its allowance; else the errors alone tell."""
    throttled = (errors[0].extensions or {}).get("code") == "THROTTLED"
    return Answer(errors_of(*errors), 429 if throttled else 200)


def _retry(answer: Answer) -> dict[str, str]:
    """`Retry-After`, where the caller has used up its allowance."""
    if answer.status != 429:
        return {}
    return {"Retry-After": str(answer.body["errors"][0]["extensions"]["retryAfter"])}


def as_json(
    answer: Answer,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode(errors="replace"),
        answer.status,
        {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **_retry(answer),
            **(headers or {}),
        },
        media_type,
    )
