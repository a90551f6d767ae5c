"""The explorer's page and the content security policy that it runs under.

The one law: the page carries no script of its own and asks no foreign origin for anything but a
sign-in. What the tenant supplies reaches the browser as JSON data and is shown as text.

The files in ``static`` are built by ``scripts/explorer/build`` and served under `ASSET_PREFIX`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

STATIC_DIR = Path(__file__).parent / "static"
ASSET_PREFIX = "/assets/explorer/"

# 'unsafe-inline' is for styles alone: the editor positions its parts with style attributes.
EXPLORER_CSP = (
    "default-src 'none'; "
    "script-src 'self'; "
    "worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; "
    "img-src 'self' data:; "
    "connect-src 'self'{extra}; "
    "frame-src 'self'{frames}; "
    "frame-ancestors 'self'; "
    "form-action 'none'; "
    "base-uri 'none'"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way to sign in: a public application of an issuer, used with a code and PKCE."""

    label: str
    authorize_url: str
    token_url: str
    client_id: str
    audience: str
    redirect_uri: str
    end_session_url: str
    scope: str = "openid profile email"
    # If it is given, an answer whose `iss` differs is refused (RFC 9207).
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class ExplorerConfig:
    """What the page of one tenant needs to know. The first sign-in is the tenant's own."""

    tenant_name: str
    endpoint: str
    sign_ins: tuple[SignIn, ...]
    # Whether the schema is asked for before anybody has signed in.
    introspect_anonymously: bool = True


def explorer_page(config: ExplorerConfig) -> str:
    """The whole HTML document."""
    return _PAGE.format(
        config=_embedded_json(config),
        script=_versioned("explorer.js"),
        style=_versioned("explorer.css"),
    )


def content_security_policy(config: ExplorerConfig) -> str:
    """The policy for this page: sign-ins may be at other origins, nothing else may."""
    return EXPLORER_CSP.format(
        extra=_sources(option.token_url for option in config.sign_ins),
        frames=_sources(option.authorize_url for option in config.sign_ins),
    )


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>GraphQL explorer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
<script type="application/json" id="explorer-config">{config}</script>
<script type="module" src="{script}"></script>
</head>
<body>
<div id="explorer">
<p class="explorer-loading">Loading the explorer…</p>
<noscript>The GraphQL explorer needs JavaScript.</noscript>
</div>
</body>
</html>
"""


def _embedded_json(config: ExplorerConfig) -> str:
    data = {
        "tenantName": config.tenant_name,
        "endpoint": config.endpoint,
        "introspectAnonymously": config.introspect_anonymously,
        "signIns": [
            {
                "label": option.label,
                "authorizeUrl": option.authorize_url,
                "tokenUrl": option.token_url,
                "clientId": option.client_id,
                "audience": option.audience,
                "redirectUri": option.redirect_uri,
                "endSessionUrl": option.end_session_url,
                "scope": option.scope,
                "issuer": option.issuer,
            }
            for option in config.sign_ins
        ],
    }
    text = json.dumps(data, separators=(",", ":"))
    # Inside a script element only these could end the data.
    return text.replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026")


@cache
def _versioned(name: str) -> str:
    """The root-relative address of a file, which changes with its content."""
    digest = sha256((STATIC_DIR / name).read_bytes()).hexdigest()
    return f"{ASSET_PREFIX}{name}?v={digest[:16]}"


def _sources(urls: Iterable[str]) -> str:
    return "".join(f" {origin}" for origin in dict.fromkeys(map(_origin, urls)))


def _origin(url: str) -> str:
    """The origin of an absolute address, refused if it could add anything else to the policy."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = host.isascii() and not set(host) & set(" ;,'\"*\\") and host.isprintable()
    if parts.scheme not in {"http", "https"} or not host or not plain:
        raise ValueError(f"not an absolute http or https address: {url!r}")
    name = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{name}{port}"
