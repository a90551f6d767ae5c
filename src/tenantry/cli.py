"""`tenantry`: serve, migrate, doctor, tenant, schema."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tenantry.settings import (
    Settings,
    SettingsError,
    bootstrap_secret,
    complete,
    load_settings,
    write_private,
)

if TYPE_CHECKING:
    from tenantry.services.bootstrap import Bootstrap
    from tenantry.store.database import Database
    from tenantry.store.unit_of_work import Store

app = typer.Typer(
    help="Many OAuth 2.0 and OpenID Connect authorization servers in one installation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenants_app = typer.Typer(help="Tenants of this installation.", no_args_is_help=True)
app.add_typer(tenants_app, name="tenant")

CREDENTIALS_FILE = "bootstrap-credentials.env"


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _settings() -> Settings:
    try:
        return complete(load_settings())
    except SettingsError as error:
        _fail(str(error))


@app.command()
def serve(
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring a PostgreSQL database up to date first.")
    ] = False,
) -> None:
    """Serve. An embedded database is brought up to date by itself."""
    settings = _settings()
    _prepare(settings, migrate=migrate)
    start_metrics = _metrics(settings)
    import uvicorn

    from tenantry import app as application
    from tenantry import processes

    config = uvicorn.Config(
        application.create,
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )

    def started() -> None:
        start_metrics()
        _announce(settings)

    raise typer.Exit(processes.run(config, settings.workers, started))


def _metrics(settings: Settings) -> Callable[[], None]:
    """Prepares counting before the application is imported; what it returns serves the sums."""
    port = settings.metrics_port
    if port is None:
        return lambda: None
    from tenantry.edge import metrics

    metrics.prepare(settings.data_dir / "metrics")
    return lambda: metrics.serve(settings.host, port)


def _prepare(settings: Settings, *, migrate: bool) -> None:
    from tenantry.store import migrate as migrations
    from tenantry.store.database import Database

    database = Database(settings.database_url)
    try:
        state = migrations.state(database)
        if state == "ahead":
            _fail("The database is of a newer release than this server: it is left alone.")
        if state != "current":
            if not settings.is_embedded and not migrate:
                _fail(
                    "The database is not up to date. Run `tenantry migrate`, or start with "
                    "`tenantry serve --migrate`."
                )
            migrations.upgrade(database)
        _bootstrap(settings, database)
    finally:
        database.close()


def _store(settings: Settings, database: Database) -> Store:
    from tenantry.core.clock import Clock
    from tenantry.store.unit_of_work import Store

    return Store(database, Clock(), settings.vault)


def _bootstrap(settings: Settings, database: Database) -> None:
    """Checks the encryption key; furnishes an empty installation."""
    from tenantry.core.context import SYSTEM, Caller
    from tenantry.keys.signing import generate_private_key
    from tenantry.keys.vault import UndecryptableError
    from tenantry.rules.addresses import Addresses
    from tenantry.services.bootstrap import Bootstrap, bootstrap
    from tenantry.store import installation
    from tenantry.store.unit_of_work import INSTALLATION

    store = _store(settings, database)
    caller = Caller(SYSTEM)
    try:
        if not store.read_now(INSTALLATION, caller, installation.is_empty):
            store.read_now(INSTALLATION, caller, installation.check_key)
            return
        password, generated_password = bootstrap_secret(settings, "bootstrap_admin_password")
        secret, generated_secret = bootstrap_secret(settings, "bootstrap_client_secret")
        values = Bootstrap(
            settings.bootstrap_admin_email, password, settings.bootstrap_client_id, secret
        )
        # The file comes first: an installation whose secrets nobody has is of no use.
        path = None
        if generated_password or generated_secret:
            path = _write_credentials(settings, values)
        addresses = Addresses(settings.public_url, settings.tenant_url)
        begun = store.write_now(
            INSTALLATION, caller, bootstrap, addresses, values, generate_private_key
        )
        if begun:
            _show_credentials(path)
    except UndecryptableError:
        _fail(
            "TENANTRY_ENCRYPTION_KEY is not the key of this database. It may be: the key that "
            "the installation began with, alone or in a comma-separated list."
        )
    except SettingsError as error:
        _fail(str(error))
    finally:
        store.close()


def _write_credentials(settings: Settings, values: Bootstrap) -> Path:
    path = (settings.data_dir / CREDENTIALS_FILE).absolute()
    write_private(
        path,
        f"TENANTRY_BOOTSTRAP_ADMIN_EMAIL='{values.admin_email}'\n"
        f"TENANTRY_BOOTSTRAP_ADMIN_PASSWORD='{values.admin_password}'\n"
        f"TENANTRY_BOOTSTRAP_CLIENT_ID='{values.client_id}'\n"
        f"TENANTRY_BOOTSTRAP_CLIENT_SECRET='{values.client_secret}'\n",
    )
    return path


def _show_credentials(path: Path | None) -> None:
    typer.echo("A new installation was made.", err=True)
    if path is None:
        return
    typer.echo(f"Its generated credentials are in {path} (only you may read it).", err=True)
    if sys.stderr.isatty():
        typer.echo(path.read_text(), err=True)


def _announce(settings: Settings) -> None:
    issuer = f"{settings.public_url}/"
    typer.echo(
        f"Tenantry serves {issuer}\n"
        f"  GraphQL explorer  {issuer}graphql\n"
        f"  discovery         {issuer}.well-known/openid-configuration\n"
        f"  listening on      {settings.host}:{settings.port}, "
        f"{settings.workers} process{'es' if settings.workers > 1 else ''}",
        err=True,
    )


@app.command()
def migrate() -> None:
    """Bring the database up to date. Safe to run twice, and by two at once."""
    from tenantry.store import migrate as migrations
    from tenantry.store.database import Database

    database = Database(_settings().database_url)
    try:
        before = migrations.state(database)
        if before == "ahead":
            _fail("The database is of a newer release than this server: it is left alone.")
        migrations.upgrade(database)
        typer.echo(f"The database was {before} and is at revision {migrations.head_revision()}.")
    finally:
        database.close()


@app.command()
def doctor() -> None:
    """Check settings, database, migrations, keys, clock and address: a line each."""
    from tenantry.doctor import examine

    findings = examine()
    for finding in findings:
        mark = {"ok": "ok  ", "warning": "note", "failure": "FAIL"}[finding.level]
        typer.echo(f"{mark} {finding.subject}: {finding.message}")
    if any(finding.level == "failure" for finding in findings):
        raise typer.Exit(1)


@tenants_app.command("list")
def tenant_list() -> None:
    """The tenants: name, environment, issuer."""
    from tenantry.core.context import SYSTEM, Caller
    from tenantry.rules.addresses import Addresses
    from tenantry.store import installation
    from tenantry.store.database import Database
    from tenantry.store.pages import PageRequest
    from tenantry.store.unit_of_work import INSTALLATION

    settings = _settings()
    addresses = Addresses(settings.public_url, settings.tenant_url)
    store = _store(settings, Database(settings.database_url))
    position: tuple[str, str] | None = None
    while True:
        page = store.read_now(
            INSTALLATION,
            Caller(SYSTEM),
            installation.tenant_page,
            PageRequest(100, sort="name", after=position),
        )
        for tenant in page.items:
            issuer = addresses.issuer(tenant.name, is_root=tenant.is_root)
            typer.echo(f"{tenant.name}\t{tenant.environment}\t{issuer}")
        if not page.has_next:
            break
        position = page.positions[-1]
    store.close()


@tenants_app.command("create")
def tenant_create(
    name: Annotated[str, typer.Argument(help="3 to 63 lower-case letters, digits, hyphens.")],
    friendly_name: Annotated[str, typer.Option(help="The name that people see.")] = "",
    environment: Annotated[
        str, typer.Option(help="development, staging or production.")
    ] = "development",
) -> None:
    """Make a tenant with its database connection, management API and explorer."""
    from tenantry.core.context import SYSTEM, Caller
    from tenantry.core.errors import DomainError
    from tenantry.core.facts import Environment
    from tenantry.rules.addresses import Addresses
    from tenantry.services import tenants
    from tenantry.store.database import Database
    from tenantry.store.unit_of_work import INSTALLATION

    settings = _settings()
    if environment not in list(Environment):
        _fail(f"The environment was {environment!r}. It may be: {', '.join(Environment)}.")
    addresses = Addresses(settings.public_url, settings.tenant_url)
    store = _store(settings, Database(settings.database_url))
    values = {"friendly_name": friendly_name, "environment": environment}
    try:
        tenant = store.write_now(
            INSTALLATION, Caller(SYSTEM), tenants.create, addresses, name, values
        )
    except DomainError as error:
        _fail(f"{'.'.join(error.field)}: {error.message}")
    finally:
        store.close()
    typer.echo(
        f"{tenant.name}\t{tenant.environment}\t{addresses.issuer(tenant.name, is_root=False)}"
    )


@app.command()
def schema() -> None:
    """Print the GraphQL schema of the management API."""
    from tenantry.management.schema import sdl

    sys.stdout.write(sdl())
