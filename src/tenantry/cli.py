"""`tenantry`: serve, migrate, doctor, tenant, schema, and export, plan, apply elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tenantry.remote import commands as remote
from tenantry.settings import Settings, SettingsError, complete, load_settings

app = typer.Typer(
    help="Many OAuth 2.0 and OpenID Connect authorization servers in one installation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenants_app = typer.Typer(help="Tenants of this installation.", no_args_is_help=True)
app.add_typer(tenants_app, name="tenant")
for command in (remote.export, remote.plan, remote.apply):
    app.command()(command)


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
        ws="websockets-sansio",
        ws_max_size=application.MAX_WEBSOCKET_MESSAGE,
        ws_per_message_deflate=False,
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
    from tenantry.first_start import CannotStart, prepare

    try:
        begun, path = prepare(settings, migrate=migrate)
    except CannotStart as error:
        _fail(str(error))
    if begun:
        typer.echo("A new installation was made.", err=True)
    if path is not None:
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
    from tenantry.first_start import NEWER
    from tenantry.store import migrate as migrations
    from tenantry.store.database import Database

    database = Database(_settings().database_url)
    try:
        before = migrations.state(database)
        if before == "ahead":
            _fail(NEWER)
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
    from tenantry.first_start import open_store
    from tenantry.rules.addresses import Addresses
    from tenantry.store import installation
    from tenantry.store.pages import PageRequest
    from tenantry.store.unit_of_work import INSTALLATION

    settings = _settings()
    addresses = Addresses(settings.public_url, settings.tenant_url)
    store = open_store(settings)
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
    from tenantry.first_start import open_store
    from tenantry.rules.addresses import Addresses
    from tenantry.services import tenants
    from tenantry.store.unit_of_work import INSTALLATION

    settings = _settings()
    if environment not in list(Environment):
        _fail(f"The environment was {environment!r}. It may be: {', '.join(Environment)}.")
    addresses = Addresses(settings.public_url, settings.tenant_url)
    store = open_store(settings)
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


@tenants_app.command("clear-access-control")
def tenant_clear_access_control(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Take away a tenant's access control list, where it keeps its administrators out."""
    from tenantry.core.context import SYSTEM, Caller
    from tenantry.first_start import open_store
    from tenantry.services import tenants
    from tenantry.store.unit_of_work import INSTALLATION

    store = open_store(_settings())
    try:
        done = store.write_now(INSTALLATION, Caller(SYSTEM), tenants.clear_access_control, name)
    finally:
        store.close()
    if not done:
        _fail(f"There is no tenant {name}.")


@tenants_app.command("create-many")
def tenant_create_many(
    file: Annotated[
        Path | None,
        typer.Option(
            help="A tenant a line: its name, maybe a tab and its friendly name. - is the input."
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Without a file: how the names begin.")] = "tenant",
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Without a file.")] = 1,
    environment: Annotated[
        str, typer.Option(help="development, staging or production.")
    ] = "development",
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out names that are taken: to go on.")
    ] = False,
) -> None:
    """Make many tenants, each in a transaction of its own. A bad list makes none."""
    from tenantry.core.facts import Environment
    from tenantry.first_start import open_store
    from tenantry.rules.addresses import Addresses
    from tenantry.services import tenant_list

    if environment not in list(Environment):
        _fail(f"The environment was {environment!r}. It may be: {', '.join(Environment)}.")
    listed, wrong = tenant_list.read(_lines(file) if file else tenant_list.numbered(prefix, count))
    if wrong:
        _fail("\n".join([*wrong, "No tenant was made."]))
    settings = _settings()
    addresses = Addresses(settings.public_url, settings.tenant_url)
    store = open_store(settings)
    try:
        with typer.progressbar(listed, label="Tenants", file=sys.stderr) as progress:
            made, refused = tenant_list.create_all(
                store, addresses, progress, environment, skip_existing=skip_existing
            )
    finally:
        store.close()
    for line in refused:
        typer.echo(line, err=True)
    typer.echo(f"{made} of {len(listed)} tenants were made.", err=True)
    if refused:
        raise typer.Exit(1)


def _lines(file: Path) -> list[str]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"{file}: {error}")
    return text.splitlines()


@app.command()
def schema() -> None:
    """Print the GraphQL schema of the management API."""
    from tenantry.management.schema import sdl

    sys.stdout.write(sdl())


@app.command()
def configuration_schema() -> None:
    """Print the JSON schema of configuration documents."""
    import json

    from tenantry.management.configuration import ABOUTS
    from tenantry.services.configuration.json_schema import schema_of

    sys.stdout.write(json.dumps(schema_of(ABOUTS), indent=2, ensure_ascii=False) + "\n")
