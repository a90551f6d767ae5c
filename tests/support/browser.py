"""A browser without JavaScript: it follows redirects, keeps cookies, reads and sends forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

import httpx2

_MAX_REDIRECTS = 10


@dataclass
class Form:
    """A form as it stands in a page. `buttons` are the named ones by their ids."""

    id: str
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        values = [value for known, value in self.fields if known == name]
        assert len(values) == 1, f"the form has {len(values)} fields {name}"
        return values[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self.texts: dict[str, str] = {}
        self._form: Form | None = None
        self._in_title = False
        self._open_id = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self._in_title = tag == "title"
        self._open_id = given.get("id", "")
        if tag == "form":
            self._form = Form(given["id"], given.get("method", "get"), given["action"])
            self.forms[given["id"]] = self._form
        elif self._form is not None and tag == "input":
            self._form.fields.append((given["name"], given.get("value", "")))
        elif self._form is not None and tag == "button" and "name" in given:
            self._form.buttons[given["id"]] = (given["name"], given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        self._open_id = ""
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        if self._open_id:
            self.texts[self._open_id] = self.texts.get(self._open_id, "") + data


@dataclass
class Page:
    """Where the browser stands. `left_for` is the foreign URL that it was sent to, if any."""

    url: str
    response: httpx2.Response
    left_for: str = ""
    posted: dict[str, str] = field(default_factory=dict)
    hops: list[httpx2.Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = _Reader()
        if self.response.headers.get("content-type", "").startswith("text/html"):
            self._reader.feed(self.response.text)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def title(self) -> str:
        return self._reader.title

    @property
    def forms(self) -> dict[str, Form]:
        return self._reader.forms

    @property
    def tags(self) -> list[tuple[str, dict[str, str]]]:
        return self._reader.tags

    def text_of(self, id: str) -> str:
        return self._reader.texts.get(id, "")

    @property
    def answer(self) -> dict[str, str]:
        """The authorization response: the query or the fragment of the foreign URL."""
        assert self.left_for, f"still at {self.url} ({self.status}, {self.title})"
        parts = urlsplit(self.left_for)
        pairs = parse_qs(parts.fragment or parts.query, keep_blank_values=True)
        assert all(len(values) == 1 for values in pairs.values())
        return {name: values[0] for name, values in pairs.items()} | self.posted

    @property
    def error(self) -> str:
        """The code that an error page shows; it never redirects."""
        assert not self.left_for, f"sent to {self.left_for}"
        assert self.title == "Something went wrong"
        return self.text_of("error-code")


class Browser:
    """One person's browser. `is_inside` says which URLs are the server's."""

    def __init__(self, client: httpx2.Client, is_inside: Callable[[str], bool]) -> None:
        self.client = client
        self._is_inside = is_inside

    def get(self, url: str, parameters: dict[str, str] | None = None) -> Page:
        if parameters:
            url = f"{url}?{urlencode(parameters)}"
        return self._follow("GET", url, [])

    def post(self, url: str, fields: dict[str, str] | list[tuple[str, str]]) -> Page:
        pairs = list(fields.items()) if isinstance(fields, dict) else fields
        return self._follow("POST", url, pairs)

    def submit(self, page: Page, form_id: str, press: str = "", **values: str) -> Page:
        """Sends a form of the page with some fields filled in; `press` is the button's id."""
        assert form_id in page.forms, f"no {form_id} in {page.title!r} ({page.status})"
        form = page.forms[form_id]
        assert set(values) <= {name for name, _ in form.fields}
        pairs = [(name, values.get(name, value)) for name, value in form.fields]
        if press:
            pairs.append(form.buttons[press])
        url = urljoin(page.url, form.action)
        if not self._is_inside(url):
            return Page(page.url, page.response, url, dict(pairs))
        assert form.method == "post"
        return self._follow("POST", url, pairs)

    def cookies(self, kind: str) -> dict[str, str]:
        """The cookies of one kind, such as `session`, by their names."""
        return {
            cookie.name: cookie.value or ""
            for cookie in self.client.cookies.jar
            if cookie.name.startswith(f"tenantry_{kind}_")
        }

    def _follow(self, method: str, url: str, fields: list[tuple[str, str]]) -> Page:
        hops: list[httpx2.Response] = []
        for _ in range(_MAX_REDIRECTS):
            response = self._send(method, url, fields)
            hops.append(response)
            if not response.has_redirect_location:
                return Page(url, response, hops=hops)
            assert response.status_code == 303, "a form would be sent again (RFC 9700 §4.12)"
            target = urljoin(url, response.headers["location"])
            if not self._is_inside(target):
                return Page(url, response, target, hops=hops)
            method, url, fields = "GET", target, []
        raise AssertionError("redirects without end")

    def _send(self, method: str, url: str, fields: list[tuple[str, str]]) -> httpx2.Response:
        options: dict[str, Any] = {"headers": {"accept": "text/html"}, "follow_redirects": False}
        if method == "POST":
            options["content"] = urlencode(fields)
            options["headers"]["content-type"] = "application/x-www-form-urlencoded"
        return self.client.request(method, url, **options)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
