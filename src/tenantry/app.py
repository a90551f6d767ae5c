"""The composition root: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from tenantry.core.clock import Clock
from tenantry.edge import logs
from tenantry.edge.cors import Cors
from tenantry.edge.middleware import Observed, Tenancy
from tenantry.edge.routes import Router
from tenantry.jobs import bulk, log_streams, push_notifications
from tenantry.jobs.activity import count_forever
from tenantry.jobs.outbox import Handler, deliver_forever
from tenantry.jobs.pruning import prune_forever
from tenantry.keys.password_workers import PasswordWorkers
from tenantry.keys.signing import KeySource, generate_private_key
from tenantry.management.endpoint import graphql_endpoint
from tenantry.management.explorer.page import STATIC_DIR as EXPLORER_FILES
from tenantry.management.job_lines import line_format
from tenantry.management.limits import MAX_DOCUMENT
from tenantry.management.schema import build_schema
from tenantry.oauth import backchannel_logout, ciba_ping
from tenantry.outbound.cache import DocumentCache
from tenantry.outbound.dns import TxtResolver
from tenantry.outbound.http import OutboundClient
from tenantry.pages import STATIC_DIR as PAGE_FILES
from tenantry.rules.addresses import Addresses
from tenantry.services import emails
from tenantry.services.backchannel_requests import PING, PUSH
from tenantry.services.emails import EMAIL
from tenantry.services.log_feed import LogFeed
from tenantry.services.log_streams import REDELIVERY
from tenantry.services.runtime import Runtime
from tenantry.services.sessions import BACKCHANNEL_LOGOUT
from tenantry.services.throttle import Throttle
from tenantry.settings import Settings, complete, load_settings
from tenantry.store.audit_queue import AuditQueue
from tenantry.store.cache import Configuration
from tenantry.store.database import Database
from tenantry.store.epochs import epoch_reader
from tenantry.store.replay_queue import ReplayQueue
from tenantry.store.unit_of_work import Store

MAX_WEBSOCKET_MESSAGE = 2 * MAX_DOCUMENT


class Application:
    """The ASGI application of one process: the router inside its middleware, and its jobs."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self.runtime = runtime
        self._log_retention = timedelta(days=settings.log_retention_days)
        self.deliveries: dict[str, Handler] = {
            EMAIL: partial(emails.deliver, runtime),
            BACKCHANNEL_LOGOUT: partial(backchannel_logout.deliver, runtime),
            PING: partial(ciba_ping.deliver, runtime),
            PUSH: partial(push_notifications.deliver, runtime),
            REDELIVERY: partial(log_streams.redeliver, runtime.store, runtime.outbound),
        }
        self.lines = line_format(build_schema())
        router = Router(
            graphql_endpoint(runtime), {"explorer": EXPLORER_FILES, "pages": PAGE_FILES}
        )
        tenancy = Tenancy(
            Cors(router, runtime),
            runtime,
            settings.trusted_proxies,
            settings.client_certificate_header,
        )
        self._app: ASGIApp = Observed(tenancy, settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        scope["tenantry.runtime"] = self.runtime
        await self._app(scope, receive, send)

    def stop(self) -> None:
        """Ends what would last as long as its client wants, so that the process may end."""
        self.runtime.feed.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._jobs():
            # What lives as long as the process need not be looked through again: a full
            # collection over it took a tenth of a second in the middle of requests.
            gc.collect()
            gc.freeze()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await asyncio.to_thread(self.runtime.close)
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _jobs(self) -> AsyncIterator[None]:
        holder = f"{socket.gethostname()}/{os.getpid()}"
        store = self.runtime.store
        jobs = (
            asyncio.create_task(prune_forever(store, holder, self._log_retention)),
            asyncio.create_task(deliver_forever(store, self.deliveries)),
            asyncio.create_task(log_streams.stream_forever(store, self.runtime.outbound)),
            asyncio.create_task(count_forever(store, holder)),
            asyncio.create_task(bulk.run_forever(self.runtime, self.lines)),
        )
        try:
            yield
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)


def create_runtime(
    settings: Settings,
    clock: Clock | None = None,
    key_source: KeySource = generate_private_key,
) -> Runtime:
    """What the requests of a process share."""
    clock = clock or Clock()
    database = Database(settings.database_url)
    store = Store(database, clock, settings.vault, settings.limits)
    outbound = OutboundClient(allow_private=settings.outbound_allow_private)
    return Runtime(
        addresses=Addresses(settings.public_url, settings.tenant_url),
        store=store,
        configuration=Configuration(store, epoch_reader(database)),
        audit=AuditQueue(database, clock),
        replays=ReplayQueue(database),
        vault=settings.vault,
        clock=clock,
        passwords=PasswordWorkers(max(1, (os.cpu_count() or 1) // settings.workers)),
        key_source=key_source,
        outbound=outbound,
        mail_server=settings.mail_server(settings.public_url),
        feed=LogFeed(store),
        documents=DocumentCache(outbound, clock),
        txt_resolver=TxtResolver(settings.dns_servers),
        throttle=Throttle(settings.rate_limit_factor, settings.workers, settings.graphql_max_cost),
        max_graphql_cost=settings.graphql_max_cost,
        is_development=settings.is_development,
    )


def create() -> Application:
    """The factory that the server's processes call."""
    settings = complete(load_settings())
    logs.configure(settings.log_format, settings.log_level)
    return Application(settings, create_runtime(settings))
