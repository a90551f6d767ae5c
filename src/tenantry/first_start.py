"""Before the processes start: the database is brought up to date, an empty one is furnished."""

from __future__ import annotations

import shlex
from pathlib import Path

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.private_files import write_private
from tenantry.keys.signing import generate_private_key
from tenantry.keys.vault import UndecryptableError
from tenantry.rules.addresses import Addresses
from tenantry.services import tenants
from tenantry.services.bootstrap import Bootstrap, bootstrap
from tenantry.settings import Settings, SettingsError, bootstrap_secret
from tenantry.store import installation
from tenantry.store import migrate as migrations
from tenantry.store.database import Database
from tenantry.store.unit_of_work import INSTALLATION, Store

CREDENTIALS_FILE = "bootstrap-credentials.env"
NEWER = "The database is of a newer release than this server: it is left alone."


class CannotStart(Exception):
    """What is in the way, and what the operator can do about it."""


def open_store(settings: Settings) -> Store:
    return Store(Database(settings.database_url), Clock(), settings.vault)


def prepare(settings: Settings, *, migrate: bool) -> tuple[bool, Path | None]:
    """Whether an installation was made, and the file of the credentials that were generated."""
    store = open_store(settings)
    try:
        _bring_up_to_date(settings, store.database, migrate=migrate)
        return _furnish(settings, store)
    except UndecryptableError:
        raise CannotStart(
            "TENANTRY_ENCRYPTION_KEY is not the key of this database. It may be: the key that "
            "the installation began with, alone or in a comma-separated list."
        ) from None
    except SettingsError as error:
        raise CannotStart(str(error)) from None
    finally:
        store.close()


def _bring_up_to_date(settings: Settings, database: Database, *, migrate: bool) -> None:
    state = migrations.state(database)
    if state == "ahead":
        raise CannotStart(NEWER)
    if state == "current":
        return
    if not settings.is_embedded and not migrate:
        raise CannotStart(
            "The database is not up to date. Run `tenantry migrate`, or start with "
            "`tenantry serve --migrate`."
        )
    migrations.upgrade(database)


def _furnish(settings: Settings, store: Store) -> tuple[bool, Path | None]:
    caller = Caller(SYSTEM)
    if not store.read_now(INSTALLATION, caller, installation.is_empty):
        store.read_now(INSTALLATION, caller, installation.check_key)
        store.write_now(INSTALLATION, caller, tenants.renew_management_apis)
        return False, None
    password, generated_password = bootstrap_secret(settings, "bootstrap_admin_password")
    secret, generated_secret = bootstrap_secret(settings, "bootstrap_client_secret")
    values = Bootstrap(
        settings.bootstrap_admin_email, password, settings.bootstrap_client_id, secret
    )
    # The file comes first: an installation whose secrets nobody has is of no use.
    path = _write(settings, values) if generated_password or generated_secret else None
    addresses = Addresses(settings.public_url, settings.tenant_url)
    begun = store.write_now(
        INSTALLATION, caller, bootstrap, addresses, values, generate_private_key
    )
    return begun, path


def _write(settings: Settings, values: Bootstrap) -> Path:
    """In the form that a shell reads."""
    path = (settings.data_dir / CREDENTIALS_FILE).absolute()
    lines = {
        "ADMIN_EMAIL": values.admin_email,
        "ADMIN_PASSWORD": values.admin_password,
        "CLIENT_ID": values.client_id,
        "CLIENT_SECRET": values.client_secret,
    }
    text = "".join(
        f"TENANTRY_BOOTSTRAP_{name}={shlex.quote(value)}\n" for name, value in lines.items()
    )
    write_private(path, text)
    return path
