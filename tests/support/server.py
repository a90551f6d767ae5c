"""The real application on a real database, asked over HTTP without a socket."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from pydantic import SecretStr
from sqlalchemy import func, select

from tenantry.app import Application, create_runtime
from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import (
    DATABASE_CONNECTION,
    ApplicationFacts,
    LogEventFacts,
    ResourceServerFacts,
    RoleFacts,
    Scope,
    SubjectType,
    TenantFacts,
    UserFacts,
)
from tenantry.keys.password_process import NICE
from tenantry.keys.password_workers import PasswordWorkers
from tenantry.keys.passwords import hash_password
from tenantry.services import (
    applications,
    bootstrap,
    client_grants,
    connections,
    resource_servers,
    roles,
    tenants,
    users,
)
from tenantry.services.commands import (
    ApplicationPatch,
    NewApplication,
    NewUser,
    Patch,
    Permissions,
)
from tenantry.settings import Settings
from tenantry.store import audit, installation, tables
from tenantry.store import users as user_rows
from tenantry.store.audit import EventFilter
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import INSTALLATION
from tests.support.browser import Browser
from tests.support.dns import name_server
from tests.support.keys import key_source

PUBLIC_URL = "http://localhost:8000"
HTTPS_URL = "https://auth.example.com"
TENANT_URL = "https://{name}.auth.example.com"
CALLBACK = "https://app.example.com/callback"
PASSWORD = "correct horse battery staple"
ROOT_SECRET = "the-secret-of-the-bootstrap-application"
_ENCRYPTION_KEY = "00" * 32

both_databases = pytest.mark.parametrize(
    "server",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)
"""A test that asks for `server`, or for what is made of it, runs on both databases."""


@cache
def _password_hash(password: str) -> str:
    return hash_password(password)


class _SharedPasswords(PasswordWorkers):
    """Its processes serve the servers of all tests, and end with the run."""

    def close(self) -> None:
        pass


@cache
def _passwords() -> PasswordWorkers:
    return _SharedPasswords(2, NICE)


class _InProcess(httpx2.BaseTransport):
    """Hands requests to the application on its event loop. A fault of the server fails the test."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asgi = httpx2.ASGITransport(server.application)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._server.portal.call(self._send, request)
        assert response.status_code < 500, f"{request.method} {request.url}: {response.text}"
        return response

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._asgi.handle_async_request(request)
        body = b"".join([chunk async for chunk in response.stream])  # type: ignore[union-attr]
        return httpx2.Response(
            response.status_code, headers=response.headers.raw, content=body, request=request
        )


class Server:
    """One process of the server."""

    def __init__(
        self,
        database_url: str,
        portal: BlockingPortal,
        *,
        public_url: str = PUBLIC_URL,
        tenant_url: str | None = None,
        clock: Clock | None = None,
        outbound_allow_private: bool = False,
        **values: Any,
    ) -> None:
        self.portal = portal
        self.public_url = public_url
        self.tenant_url = tenant_url
        self.clock = clock or Clock()
        # Tests ask more in a second than people do in an hour; those of the limits set their own.
        values.setdefault("rate_limit_factor", 1000)
        values.setdefault("dns_servers", (name_server().address,))
        settings = Settings(
            public_url=public_url,
            tenant_url=tenant_url,
            database_url=database_url,
            encryption_key=(SecretStr(_ENCRYPTION_KEY),),
            outbound_allow_private=outbound_allow_private,
            **values,
        )
        made = create_runtime(settings, self.clock, key_source)
        self.runtime = replace(made, passwords=_passwords())
        self.application = Application(settings, self.runtime)
        self._numbers = itertools.count(1)
        self.client = self.new_client()

    def begin(self) -> None:
        """Furnishes the empty installation."""
        values = bootstrap.Bootstrap(
            "admin@example.com", PASSWORD, "tenantry-bootstrap", ROOT_SECRET
        )
        self.runtime.store.write_now(
            INSTALLATION,
            Caller(SYSTEM),
            bootstrap.bootstrap,
            self.runtime.addresses,
            values,
            key_source,
        )

    def close(self) -> None:
        self.client.close()
        self.portal.call(self._close)

    async def _close(self) -> None:
        self.runtime.close()

    def new_client(self, **options: Any) -> httpx2.Client:
        """An HTTP client that no other shares cookies with."""
        return httpx2.Client(transport=_InProcess(self), follow_redirects=False, **options)

    def transport(self) -> httpx2.BaseTransport:
        return _InProcess(self)

    def browser(self) -> Browser:
        return Browser(self.new_client(), self.is_inside)

    def is_inside(self, url: str) -> bool:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return origin == self.public_url or bool(
            self.tenant_url and origin.endswith(self.tenant_url.partition("{name}")[2])
        )

    def raw(
        self,
        method: str,
        url: str,
        *,
        query: bytes = b"",
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: Iterable[bytes] = (),
    ) -> httpx2.Response:
        """A request as bytes, which no client library has made tidy."""
        return self.portal.call(self._raw, method, url, query, list(headers), list(body))

    async def _raw(
        self,
        method: str,
        url: str,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: list[bytes],
    ) -> httpx2.Response:
        parts = urlsplit(url)
        names = {name for name, _ in headers}
        if b"host" not in names:
            headers = [(b"host", parts.netloc.encode()), *headers]
        started: dict[str, Any] = {}
        received: list[bytes] = []
        waiting = [*body, b""]

        async def receive() -> dict[str, Any]:
            chunk = waiting.pop(0) if waiting else b""
            return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                received.append(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": httpx2.URL(url).path if "%" in parts.path else parts.path,
            "raw_path": parts.path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": ("192.0.2.1", 4711),
            "server": (parts.hostname, parts.port),
        }
        await self.application(scope, receive, send)
        assert started["status"] < 500, b"".join(received)
        return httpx2.Response(
            started["status"], headers=started["headers"], content=b"".join(received)
        )

    def stored(self) -> dict[str, int]:
        """The number of rows of each table but the audit log's and the counters'."""
        with self.runtime.store.database.reading() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables.metadata.sorted_tables
                if table not in {tables.log_events, tables.attempts}
            }

    @contextmanager
    def stores_nothing(self) -> Iterator[None]:
        before = self.stored()
        yield
        more = {name: n - before[name] for name, n in self.stored().items() if n != before[name]}
        assert not more, f"stored: {more}"

    @property
    def root(self) -> Tenant:
        found = self.runtime.store.read_now(INSTALLATION, Caller(SYSTEM), installation.find_root)
        assert found is not None
        return Tenant(self, found)

    def tenant(self, name: str = "", **values: Any) -> Tenant:
        """A new tenant, with its signing keys made."""
        name = name or f"tenant-{next(self._numbers)}"
        made = self.runtime.store.write_now(
            INSTALLATION, Caller(SYSTEM), tenants.create, self.runtime.addresses, name, values
        )
        tenant = Tenant(self, made)
        tenant.jwks()
        return tenant


@contextmanager
def begun(database_url: str, portal: BlockingPortal, **values: Any) -> Iterator[Server]:
    """A server on a migrated database, furnished, and closed at the end."""
    made = Server(database_url, portal, **values)
    try:
        made.begin()
        yield made
    finally:
        made.close()


@dataclass(frozen=True)
class Client:
    """A registered application with its secret, if it has one."""

    facts: ApplicationFacts
    secret: str

    @property
    def id(self) -> str:
        return self.facts.client_id

    @property
    def redirect_uri(self) -> str:
        return self.facts.redirect_uris[0]

    @property
    def basic(self) -> tuple[str, str]:
        return self.id, self.secret

    @property
    def body(self) -> dict[str, str]:
        """How it names itself in a form."""
        return {"client_id": self.id} | ({"client_secret": self.secret} if self.secret else {})


class Tenant:
    """A tenant of the server, and the means to furnish it."""

    def __init__(self, server: Server, facts: TenantFacts) -> None:
        self.server = server
        self.id, self.name = facts.id, facts.name
        self.issuer = server.runtime.addresses.issuer(facts.name, is_root=facts.is_root)

    def url(self, path: str) -> str:
        """`path` under the issuer, without a slash before it."""
        return f"{self.issuer}{path}"

    def write(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return self.server.runtime.store.write_now(
            self.id, Caller(SYSTEM), function, *args, **kwargs
        )

    def read(self, function: Any, *args: Any) -> Any:
        return self.server.runtime.store.read_now(self.id, Caller(SYSTEM), function, *args)

    def change(self, **values: Any) -> None:
        """Changes settings of the tenant."""
        addresses = self.server.runtime.addresses
        self.write(tenants.update, addresses, Patch(self.id, values))

    def application(
        self, application_type: str = "regular_web", secret: str | None = None, **values: Any
    ) -> Client:
        given: dict[str, Any] = {
            "name": "The application",
            "application_type": application_type,
        }
        if application_type != "non_interactive":
            given["redirect_uris"] = (CALLBACK,)
        made = self.write(applications.create, NewApplication(given | values, client_secret=secret))
        return Client(made.application, secret or made.client_secret or "")

    def change_application(self, client: Client, **values: Any) -> Client:
        patch = ApplicationPatch(Patch(client.facts.id, values))
        made = self.write(applications.update, patch)
        return Client(made.application, made.client_secret or client.secret)

    def disconnect(self, client: Client) -> None:
        """Disables every connection for an application."""
        self.write(applications.update, ApplicationPatch(Patch(client.facts.id), connections=()))

    def rotate_secret(self, client: Client) -> Client:
        made = self.write(applications.rotate_secret, Patch(client.facts.id))
        return Client(made.application, made.client_secret)

    def api(
        self, identifier: str = "https://api.example.com", *scopes: str, **values: Any
    ) -> ResourceServerFacts:
        given = {
            "name": "The API",
            "identifier": identifier,
            "scopes": tuple(Scope(scope, f"To {scope}") for scope in scopes),
        }
        made: ResourceServerFacts = self.write(
            resource_servers.create, given | values
        ).resource_server
        return made

    def grant(
        self,
        client: Client,
        audience: str,
        *scopes: str,
        subject_type: SubjectType = SubjectType.CLIENT,
        **values: Any,
    ) -> None:
        given = {
            "client_id": client.id,
            "audience": audience,
            "subject_type": subject_type,
            "scopes": scopes,
        }
        self.write(client_grants.create, self.server.runtime.addresses, given | values)

    def user(
        self,
        email: str | None = "ann@example.com",
        password: str = PASSWORD,
        connection: str = DATABASE_CONNECTION,
        **values: Any,
    ) -> UserFacts:
        given = {"email": email} | values
        command = NewUser(connection, given, password_hash=_password_hash(password))
        made: UserFacts = self.write(users.create, command)
        return made

    def permit(self, user: UserFacts, audience: str, *scopes: str) -> None:
        """Gives permissions to a user directly."""
        self.write(user_rows.give_permissions, user.id, audience, scopes)

    def role(self, name: str, audience: str, *scopes: str) -> RoleFacts:
        made: RoleFacts = self.write(roles.create, {"name": name})
        given = Permissions(audience, scopes)
        self.write(roles.add_permissions, self.server.runtime.addresses, Patch(made.id), given)
        return made

    def give_role(self, user: UserFacts, role: RoleFacts) -> None:
        self.write(roles.give_roles, Patch(user.id), [role.id])

    def take_role(self, user: UserFacts, role: RoleFacts) -> None:
        self.write(roles.take_roles, Patch(user.id), [role.id])

    def connection(self, name: str) -> None:
        self.write(connections.create, {"name": name})

    def block(self, user: UserFacts) -> None:
        self.write(users.set_blocked, Patch(user.id), blocked=True)

    def set_password(self, user: UserFacts, password: str) -> None:
        self.write(users.set_password, Patch(user.id), _password_hash(password))

    def events(self, *types: str) -> list[LogEventFacts]:
        """What the audit log says, newest first."""
        request = PageRequest(100, descending=True)
        return list(self.read(audit.page, EventFilter(types=types), request).items)

    def token(self, client: Client, auth: Any = None, **fields: str) -> httpx2.Response:
        """A token request, authenticated in the body unless by `auth`."""
        named = {} if auth else client.body
        return self.server.client.post(
            self.url("oauth/token"),
            data=named | fields,
            auth=auth or httpx2.USE_CLIENT_DEFAULT,
        )

    def jwks(self) -> dict[str, Any]:
        keys: dict[str, Any] = self.server.client.get(self.url(".well-known/jwks.json")).json()
        return keys

    def userinfo(self, token: str) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"}
        return self.server.client.get(self.url("userinfo"), headers=headers)
