"""`tenantry export | plan | apply`: a tenant's configuration as a document.

They end with 0 if all is well, 1 if something was refused, and 3 if `plan --exit-code` has found
changes; 2 is wrong usage.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from tenantry.remote.client import Remote

T = TypeVar("T")
REFUSED, PENDING = 1, 3

Issuer = Annotated[
    str,
    typer.Option(
        envvar="TENANTRY_ISSUER", help="The tenant's issuer, such as http://localhost:8000/t/acme/."
    ),
]
Token = Annotated[
    str, typer.Option(envvar="TENANTRY_TOKEN", help="A token for its management API.")
]
ClientId = Annotated[
    str, typer.Option(envvar="TENANTRY_CLIENT_ID", help="An application that gets the token.")
]
ClientSecret = Annotated[
    str, typer.Option(envvar="TENANTRY_CLIENT_SECRET", help="Its secret; better in the variable.")
]
TokenIssuer = Annotated[
    str,
    typer.Option(
        envvar="TENANTRY_TOKEN_ISSUER",
        help="The issuer of the token where it is another one: the root's, for operators.",
    ),
]
File = Annotated[Path, typer.Argument(help="The document, YAML or JSON; - is the input.")]
Keywords = Annotated[
    list[str] | None,
    typer.Option("--keyword", "-k", help="NAME=VALUE, as often as needed; the value is a text."),
]
KeywordFile = Annotated[
    Path | None,
    typer.Option(help="A JSON file of an object: names of keywords and their values."),
]
Deletes = Annotated[
    list[str] | None,
    typer.Option("--delete", help="NOUN:KEY of an object to delete, as often as needed."),
]


def _fail(message: str) -> NoReturn:
    from tenantry.remote.show import printable

    for line in message.splitlines():
        typer.echo(printable(line), err=True)
    raise typer.Exit(REFUSED)


def _remote(
    issuer: str, token: str, client_id: str, client_secret: str, token_issuer: str
) -> Remote:
    from tenantry.remote.client import Access, Remote

    return Remote(Access(issuer, token, client_id, client_secret, token_issuer))


def _working(text: str, function: Callable[[], T]) -> T:
    """Does it with a sign of life on a terminal; what goes wrong is told and ends the command."""
    from rich.console import Console

    from tenantry.remote.client import RemoteError

    progress = Console(stderr=True)
    try:
        if not progress.is_terminal:
            return function()
        with progress.status(text):
            return function()
    except RemoteError as error:
        _fail(str(error))


def _input(
    file: Path, keywords: list[str] | None, keyword_file: Path | None, deletes: list[str] | None
) -> dict[str, Any]:
    try:
        document = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        words: Any = json.loads(keyword_file.read_text(encoding="utf-8")) if keyword_file else {}
    except (OSError, ValueError) as error:
        _fail(f"A file cannot be read: {error}")
    if not isinstance(words, dict):
        _fail("The file of keywords is not a JSON object.")
    for word in keywords or ():
        name, sign, value = word.partition("=")
        if not sign:
            _fail(f"A keyword is NAME=VALUE, not {word}.")
        words[name] = value
    named = []
    for one in deletes or ():
        noun, sign, key = one.partition(":")
        if not sign:
            _fail(f"An object to delete is NOUN:KEY, not {one}.")
        named.append({"noun": noun, "key": key})
    return {"document": document, "keywords": words, "deletes": named}


def _planned(remote: Remote, input: dict[str, Any]) -> tuple[Console, dict[str, Any]]:
    """The plan, printed."""
    from rich.console import Console

    from tenantry.remote import show

    console = Console()
    payload = _working("Planning …", lambda: remote.plan(input))
    if payload["plan"] is None:
        show.refusals(Console(stderr=True), payload["errors"])
        raise typer.Exit(REFUSED)
    show.plan(console, payload["plan"])
    return console, payload["plan"]


def export(
    issuer: Issuer,
    token: Token = "",
    client_id: ClientId = "",
    client_secret: ClientSecret = "",
    token_issuer: TokenIssuer = "",
    json_format: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
    noun: Annotated[
        list[str] | None, typer.Option(help="Only this member, as often as needed.")
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(help="This user too, by id, email or username, as often as needed."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else the output.")
    ] = None,
) -> None:
    """Write a tenant's configuration out: no secrets, and no users but those that are named."""
    remote = _remote(issuer, token, client_id, client_secret, token_issuer)
    form = "json" if json_format else "yaml"
    document = _working("Exporting …", lambda: remote.export(form, noun or None, user or None))
    if output is None:
        sys.stdout.write(document)
        return
    try:
        output.write_text(document, encoding="utf-8")
    except OSError as error:
        _fail(f"The file cannot be written: {error}")


def plan(
    file: File,
    issuer: Issuer,
    token: Token = "",
    client_id: ClientId = "",
    client_secret: ClientSecret = "",
    token_issuer: TokenIssuer = "",
    keyword: Keywords = None,
    keyword_file: KeywordFile = None,
    delete: Deletes = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 3 if there are changes.")
    ] = False,
) -> None:
    """Show what applying a document would change."""
    remote = _remote(issuer, token, client_id, client_secret, token_issuer)
    _, found = _planned(remote, _input(file, keyword, keyword_file, delete))
    if found["changes"] and exit_code:
        raise typer.Exit(PENDING)


def apply(
    file: File,
    issuer: Issuer,
    token: Token = "",
    client_id: ClientId = "",
    client_secret: ClientSecret = "",
    token_issuer: TokenIssuer = "",
    keyword: Keywords = None,
    keyword_file: KeywordFile = None,
    delete: Deletes = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make a tenant what a document says, after showing the plan and asking."""
    from rich.console import Console

    from tenantry.remote import show

    remote = _remote(issuer, token, client_id, client_secret, token_issuer)
    input = _input(file, keyword, keyword_file, delete)
    console, found = _planned(remote, input)
    if not found["changes"]:
        return
    if not yes:
        if not sys.stdin.isatty():
            _fail("Nobody can be asked here: say --yes.")
        typer.confirm("Apply?", abort=True)
    payload = _working("Applying …", lambda: remote.apply(input | {"planHash": found["hash"]}))
    if payload["errors"]:
        show.refusals(Console(stderr=True), payload["errors"])
        raise typer.Exit(REFUSED)
    show.made(console, payload["made"])
    typer.echo("Applied.")
