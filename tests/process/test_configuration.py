"""`tenantry export | plan | apply` against a server, with the document of the documentation."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tenantry.remote import show
from tests.process.server import SECRET, Server, environment, free_port, run, serving

ROOT = Path(__file__).parents[2]
WORDS = {"COMPANY": "Acme", "SHOP_CALLBACKS": ["https://shop.example.com/callback"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("configuration") / "data"
    env = environment(data_dir, free_port(), TENANTRY_WORKERS="1")
    with serving(env) as started:
        for name in ("acme", "empty"):
            assert run("tenant", "create", name, env=env).returncode == 0
        yield started


def access(server: Server, name: str, **more: str) -> dict[str, str]:
    """What an operator has in his environment."""
    return {
        "TENANTRY_ISSUER": f"{server.public_url}/t/{name}/",
        "TENANTRY_TOKEN_ISSUER": f"{server.public_url}/",
        "TENANTRY_CLIENT_ID": "tenantry-bootstrap",
        "TENANTRY_CLIENT_SECRET": SECRET,
        "PATH": "/usr/bin:/bin",
    } | more


def test_a_document_goes_from_one_tenant_to_another(server: Server, tmp_path: Path) -> None:
    env = access(server, "acme")
    found = re.search(
        r"```yaml\n(.*?)```", (ROOT / "docs" / "management.md").read_text(), re.DOTALL
    )
    assert found is not None
    file, words = tmp_path / "tenant.yaml", tmp_path / "words.json"
    file.write_text(found[1])
    words.write_text(json.dumps(WORDS))
    named = (str(file), "--keyword-file", str(words))

    unknown = run("plan", str(file), "--keyword", "COMPANY=Acme", env=env)
    assert unknown.returncode == 1
    refusal = "document.applications.0.redirectUris: There is no keyword SHOP_CALLBACKS."
    assert unknown.stderr.strip() == refusal

    plan = run("plan", *named, "--exit-code", env=env)
    assert plan.returncode == 3, plan.stderr
    lines = plan.stdout.splitlines()
    assert lines[:2] == ["~ tenant", '    friendlyName: "" -> "Acme"']
    assert "+ applications shop" in lines
    assert '    redirectUris: ["https://shop.example.com/callback"]' in lines
    assert lines[-1] == "4 to create, 1 to update."
    assert "\x1b" not in plan.stdout
    assert run("plan", *named, env=env).returncode == 0

    unasked = run("apply", *named, env=env)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (1, True)
    applied = run("apply", *named, "--yes", env=env)
    assert applied.returncode == 0, applied.stderr
    assert re.search(r"^applications shop  client id \S{32}  secret \S{43}$", applied.stdout, re.M)
    again = run("apply", *named, "--yes", env=env)
    assert (again.returncode, again.stdout) == (0, "Nothing to do.\n")
    assert run("plan", *named, "--exit-code", env=env).returncode == 0

    exported = tmp_path / "exported.json"
    assert run("export", "--json", "-o", str(exported), env=env).returncode == 0
    other = access(server, "empty")
    assert run("apply", str(exported), "--yes", env=other).returncode == 0
    assert run("plan", str(exported), env=other).stdout == "Nothing to do.\n"
    people = tmp_path / "people.yaml"
    people.write_text(
        "users:\n- connection: Username-Password-Authentication\n"
        "  email: ann@example.com\n  roles: [clerk]\n"
    )
    assert run("apply", str(people), "--yes", env=env).returncode == 0
    one = run("export", "--noun", "users", "--user", "ann@example.com", env=env)
    people.write_text(one.stdout)
    assert run("plan", str(people), env=env).stdout == "Nothing to do.\n"
    assert run("apply", str(people), "--yes", env=other).returncode == 0
    assert run("plan", str(people), env=other).stdout == "Nothing to do.\n"
    nobody = run("export", "--user", "nobody", env=env)
    assert (nobody.returncode, nobody.stderr) == (1, "There is no user nobody.\n")

    deleting = ("--delete", "roles:clerk")
    roles = tmp_path / "roles.yaml"
    roles.write_text("roles: []")
    kept = run("plan", str(roles), env=other)
    assert kept.stdout == "  roles clerk is not in the document, and kept\nNothing to do.\n"
    gone = run("apply", str(roles), *deleting, "--yes", env=other)
    assert gone.stdout.splitlines()[0] == "- roles clerk"
    yaml = run("export", "--noun", "roles", env=other)
    assert yaml.stdout == "version: 1\nroles: []\n"


@pytest.mark.parametrize(
    "change, says",
    [
        ({"TENANTRY_CLIENT_SECRET": "wrong" * 8}, "refused a token"),
        ({"TENANTRY_CLIENT_SECRET": ""}, "client secret"),
        ({"TENANTRY_TOKEN": "x", "TENANTRY_ISSUER": "http://127.0.0.1:1/"}, "was not reached"),
        ({"TENANTRY_TOKEN": "forged"}, "access token"),
        ({"TENANTRY_TOKEN": "x", "TENANTRY_ISSUER": "nonsense"}, "nonsense/graphql was not"),
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence(
    server: Server, change: dict[str, str], says: str
) -> None:
    refused = run("export", env=access(server, "acme") | change)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_schema_is_printed(server: Server) -> None:
    printed = json.loads(run("configuration-schema", env=access(server, "acme")).stdout)
    assert printed["properties"]["applications"]


def test_files_that_are_none(server: Server, tmp_path: Path) -> None:
    env = access(server, "acme")
    missing = run("plan", str(tmp_path / "none.yaml"), env=env)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
    file = tmp_path / "x.yaml"
    file.write_text("roles: []")
    assert run("plan", str(file), "-k", "NAME", env=env).returncode == 1
    assert run("plan", str(file), "--delete", "roles", env=env).returncode == 1
    assert run("plan", env=env).returncode == 2


def test_a_terminal_gets_colours_and_nothing_that_moves_its_cursor() -> None:
    changes = [
        {
            "action": "UPDATE",
            "noun": "applications",
            "key": "shop\x1b[2J",
            "fields": [
                {"field": "name", "before": "a", "after": "\u202eb"},
                {"field": "redirectUris", "before": ["x", "y"], "after": ["y", "z"]},
            ],
        }
    ]
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, color_system="standard")
    show.plan(console, {"changes": changes, "kept": []})
    text = output.getvalue()
    assert "\x1b[" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert plain.splitlines() == [
        "~ applications shop\\x1b[2J",
        '    name: "a" -> "\\u202eb"',
        "    redirectUris:",
        '      - "x"',
        '      + "z"',
        "1 to update.",
    ]
