"""The catalogue of event types says all that the code writes, and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import tenantry
from tenantry.core.log_event_types import EVENT_TYPES
from tests.support.management import Api, root_api
from tests.support.server import Tenant

_TYPE = re.compile(r"[a-z]{3,}(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*")
_SUFFIXES = {"html", "css", "js", "key", "db", "py", "com", "json"}
_NOT_EVENTS = {"websocket.close", "websocket.disconnect", "uvicorn.access", "uvicorn.error"}


def written_types() -> set[str]:
    """Every text of the code that has the form of a type, less what is known to be none."""
    folder = Path(tenantry.__file__).parent
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if path.name == "log_event_types.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if _TYPE.fullmatch(text) and text.partition(".")[2] not in _SUFFIXES:
                    found.add(text)
    return {
        text
        for text in found - _NOT_EVENTS
        if not text.startswith(("tenantry.", "http.", "lifespan.", "editor."))
    }


def test_every_type_is_in_the_catalogue() -> None:
    written = written_types()
    assert written - EVENT_TYPES.keys() == set(), "describe them in core/log_event_types.py"
    assert EVENT_TYPES.keys() - written == set(), "nothing writes them any more"


def test_the_schema_shows_the_catalogue(api: Api) -> None:
    shown = api.data("{ logEventTypes { name description } }")["logEventTypes"]
    assert {entry["name"]: entry["description"] for entry in shown} == dict(EVENT_TYPES)


def test_the_log_is_narrowed_to_an_actor_an_object_or_a_request(api: Api, tenant: Tenant) -> None:
    query = """query($filter: LogEventFilter) { logEvents(first: 9, filter: $filter) {
      nodes { type requestId targetId actorId } } }"""

    def found(**criteria: Any) -> list[dict[str, str]]:
        nodes: list[dict[str, str]] = api.data(query, filter=criteria)["logEvents"]["nodes"]
        return nodes

    made = api.application()
    api.do("applicationUpdate", "__typename", {"id": made["id"], "name": "new"})
    own = found(targetId=made["id"])
    assert [event["type"] for event in own] == ["application.created", "application.updated"]
    assert found(requestId=own[1]["requestId"]) == [own[1]]
    assert own[0] in found(actorId="tenantry-bootstrap")
    assert found(actorId="nobody") == found(targetId="forged") == []
    other = root_api(tenant.server.tenant())
    assert other.data(query, filter={"targetId": made["id"]})["logEvents"]["nodes"] == []


def test_one_event_by_its_id(api: Api, tenant: Tenant) -> None:
    made = api.application()
    query = "query($id: ID!) { logEvent(id: $id) { type targetId } node(id: $id) { id } }"
    listed = """{ logEvents(last: 1, filter: {types: ["application.created"]}) { nodes { id } } }"""
    id_ = api.data(listed)["logEvents"]["nodes"][0]["id"]
    shown = {"type": "application.created", "targetId": made["id"]}
    assert api.data(query, id=id_) == {"logEvent": shown, "node": {"id": id_}}
    other = root_api(tenant.server.tenant())
    assert other.data(query, id=id_) == {"logEvent": None, "node": None}
    assert api.data(query, id=made["id"])["logEvent"] is None
    assert api.data(query, id="forged")["logEvent"] is None
