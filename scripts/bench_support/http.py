"""One JSON request at a time, with nothing but the standard library."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode


def get(port: int, path: str) -> tuple[int, bytes]:
    return _send(port, "GET", path, None, {})


def post_form(port: int, path: str, fields: Mapping[str, str]) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return _send(port, "POST", path, urlencode(fields).encode(), headers)


def post_json(port: int, path: str, body: Any, token: str) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return _send(port, "POST", path, json.dumps(body).encode(), headers)


def _send(
    port: int, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Accept": "application/json", **headers})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
