"""Every setting of a process, read from `TENANTRY_*` once at start."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic import model_validator as validates_model
from pydantic_settings import NoDecode, SettingsConfigDict

from tenantry.core.limits import (
    JOB_BYTES,
    JOB_LINE_BYTES,
    JOB_LINES,
    MAX_SESSION_IDLE_LIFETIME,
    MAX_SESSION_LIFETIME,
    Limits,
)
from tenantry.core.private_files import write_new
from tenantry.keys.vault import Vault, generate_encryption_key, parse_encryption_key
from tenantry.outbound.addresses import dns_servers
from tenantry.outbound.mail_settings import MailSettings
from tenantry.rules.public_url import is_loopback, required_origin, required_template

PREFIX = "TENANTRY_"
DATABASE_FILE = "tenantry.db"


class SettingsError(Exception):
    """One sentence per wrong value: the variable, what it was, what it may be."""


class Settings(MailSettings):
    """What an operator decides for a process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Server processes; by default one per core.",
    )
    public_url: str = Field(
        "",
        description="The origin that browsers and applications see, the issuer of the root "
        "tenant; by default http://localhost:{port}.",
    )
    tenant_url: str | None = Field(
        None,
        description="The address of tenants, with {name} as its leftmost label, such as "
        "https://{name}.auth.example.com; by default {public URL}/t/{name}.",
    )
    data_dir: Path = Field(
        Path(".tenantry"),
        description="The folder of the embedded database and of generated secrets.",
    )
    database_url: str = Field(
        "",
        description="sqlite:///path or postgresql://user:password@host/name; by default "
        "tenantry.db in the data folder.",
    )
    encryption_key: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Comma-separated keys of 32 bytes in base64url or hexadecimal: the first "
        "encrypts, all decrypt. Generated in development, required elsewhere.",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Comma-separated addresses or networks whose X-Forwarded-For, "
        "X-Forwarded-Host and X-Request-Id headers are believed.",
    )
    client_certificate_header: Literal["client-certificate", "client-cert"] | None = Field(
        None,
        description="The header in which the trusted proxies say what client certificate a "
        "request came with: client-certificate (URL-encoded PEM) or client-cert (RFC 9440).",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How log lines look: text or json."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe line that is logged."
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="The port of the Prometheus endpoint, on the same host; off by default.",
    )
    log_retention_days: int = Field(
        90, ge=1, le=3650, description="Days that rows of the audit log are kept: 1 to 3650."
    )
    max_session_idle_lifetime: int = Field(
        MAX_SESSION_IDLE_LIFETIME,
        ge=60,
        le=315_360_000,
        description="The most that a tenant's sessionIdleLifetime counts, in seconds.",
    )
    max_session_lifetime: int = Field(
        MAX_SESSION_LIFETIME,
        ge=60,
        le=315_360_000,
        description="The most that a tenant's sessionLifetime counts, in seconds.",
    )
    job_max_bytes: int = Field(
        JOB_BYTES, ge=1024, description="The most bytes of one upload to a job."
    )
    job_max_lines: int = Field(JOB_LINES, ge=1, description="The most lines of one upload.")
    job_max_line_bytes: int = Field(
        JOB_LINE_BYTES, ge=256, le=1_048_576, description="The most bytes of one of its lines."
    )
    graphql_max_cost: int = Field(
        10_000, ge=100, description="The greatest cost of one GraphQL operation."
    )
    rate_limit_factor: float = Field(
        1.0,
        ge=0,
        le=1_000_000,
        description="By what every rate limit is multiplied; 0 switches them off.",
    )
    outbound_allow_private: bool = Field(
        False,
        description="Whether requests that the server makes itself (jwks_uri, request_uri, logout "
        "tokens, log streams) may go to private addresses, and over http to loopback: true or "
        "false.",
    )
    dns_servers: Annotated[tuple[tuple[str, int], ...], NoDecode] = Field(
        (),
        description="Comma-separated resolvers that are asked for the TXT records of custom "
        "domains: addresses, with a port if it is not 53; by default the system's.",
    )
    bootstrap_admin_email: str = Field(
        "admin@localhost.localdomain",
        description="The first administrator's email; applies to an empty installation only.",
    )
    bootstrap_admin_password: SecretStr | None = Field(
        None, description="The first administrator's password; generated in development."
    )
    bootstrap_client_id: str = Field(
        "tenantry-bootstrap",
        pattern=r"^[A-Za-z0-9._~-]{1,64}$",
        description="The client id of the first machine-to-machine application.",
    )
    bootstrap_client_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Its secret, of at least 32 characters; generated in development.",
    )

    @field_validator("encryption_key", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        keys = [part.strip() for part in value.split(",") if part.strip()]
        for key in keys:
            parse_encryption_key(key)
        return keys

    @field_validator("trusted_proxies", "dns_servers", mode="before")
    @classmethod
    def _split_addresses(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if info.field_name == "dns_servers":
            return dns_servers(value)
        return [ip_network(part.strip()) for part in value.split(",") if part.strip()]

    @field_validator("public_url", "tenant_url")
    @classmethod
    def _check_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        check = required_origin if info.field_name == "public_url" else required_template
        return check(value) if value else None

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        known = {"sqlite", "postgresql", "postgres", "postgresql+psycopg"}
        if value and value.split(":")[0] not in known:
            raise ValueError("must begin with sqlite:/// or postgresql://")
        scheme, separator, rest = value.partition("://")
        if scheme in {"postgresql", "postgres"}:
            return f"postgresql+psycopg{separator}{rest}"
        return value

    @validates_model(mode="after")
    def _derive(self) -> Settings:
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://localhost:{self.port}")
        if not self.database_url:
            path = (self.data_dir / DATABASE_FILE).absolute()
            object.__setattr__(self, "database_url", f"sqlite:///{path}")
        return self

    @property
    def is_development(self) -> bool:
        """Whether the public URL is on loopback."""
        return is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def is_embedded(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def limits(self) -> Limits:
        """What tenants may set at most."""
        return Limits(
            self.max_session_idle_lifetime,
            self.max_session_lifetime,
            self.job_max_bytes,
            self.job_max_lines,
            self.job_max_line_bytes,
        )

    @cached_property
    def vault(self) -> Vault:
        """The encryption keys; call `complete` first."""
        return Vault([parse_encryption_key(key.get_secret_value()) for key in self.encryption_key])


def load_settings() -> Settings:
    """The settings of the environment; SettingsError names every wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(dict(item)) for item in error.errors())) from None


def _sentence(item: dict[str, object]) -> str:
    location, reason = item["loc"], str(item["msg"]).removeprefix("Value error, ")
    if not isinstance(location, tuple) or not location:
        return f"{reason}."
    name = str(location[0])
    variable = PREFIX + name.upper()
    field = Settings.model_fields.get(name)
    was = "" if name in _SECRET_FIELDS else f" was {os.environ.get(variable, '')!r}:"
    allowed = f" It may be: {field.description}" if field and field.description else ""
    return f"{variable}{was} {reason}.{allowed}"


_SECRET_FIELDS = frozenset(
    [
        "bootstrap_admin_password",
        "bootstrap_client_secret",
        "database_url",
        "encryption_key",
        "smtp_password",
    ]
)


def complete(settings: Settings) -> Settings:
    """Fills missing secrets in development from the data folder; elsewhere they are required.

    Only the encryption key is needed at every start. Bootstrap secrets are asked for by the
    first start alone, through `bootstrap_secret`.
    """
    if settings.encryption_key:
        return settings
    if not settings.is_development:
        raise SettingsError(
            f"{PREFIX}ENCRYPTION_KEY was not set: it is required unless the public URL is on "
            f"loopback. It may be: {Settings.model_fields['encryption_key'].description}"
        )
    key = _read_or_create_key(settings.data_dir / "encryption.key")
    return settings.model_copy(update={"encryption_key": (SecretStr(key),)})


def bootstrap_secret(settings: Settings, name: str) -> tuple[str, bool]:
    """The value of a bootstrap secret, and whether it was generated just now."""
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        return value.get_secret_value(), False
    if not settings.is_development:
        raise SettingsError(
            f"{PREFIX}{name.upper()} was not set: the first start of an installation needs it "
            "unless the public URL is on loopback."
        )
    return secrets.token_urlsafe(32), True


def _read_or_create_key(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            write_new(path, generate_encryption_key() + "\n")
    return path.read_text().strip()
