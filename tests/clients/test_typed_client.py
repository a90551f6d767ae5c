"""A client that a public generator makes of `schema.graphql`: typed, and good for the work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.typed_client import FOLDER, PYTHON
from tests.support.management import tenant_api
from tests.support.server import Tenant

REPOSITORY = Path(__file__).parents[2]
SCOPES = [
    *(f"{verb}:{noun}" for verb in ("read", "create", "update") for noun in ("applications",)),
    *(f"{verb}:{noun}" for verb in ("read", "create") for noun in ("client_grants", "users")),
    "create:resource_servers",
]
pytestmark = pytest.mark.typed_client


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client and the program that uses it."""
    folder = tmp_path_factory.mktemp("typed")
    for name in ("operations.graphql", "drive.py"):
        shutil.copy(FOLDER / name, folder)
    settings = (FOLDER / "pyproject.toml").read_text()
    schema = REPOSITORY / "schema.graphql"
    (folder / "pyproject.toml").write_text(settings.replace("../../../schema.graphql", str(schema)))
    (folder / "mypy.ini").write_text("[mypy]\n")
    ran(folder, str(PYTHON.with_name("ariadne-codegen")), "client")
    return folder


def ran(folder: Path, *command: str, said: str = "") -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_program_administers_a_tenant_through_it(generated: Path, tenant: Tenant) -> None:
    api = tenant_api(tenant, *SCOPES, name="Deployment")
    settings = json.dumps({"url": api.url, "token": api.token})
    answer = json.loads(ran(generated, str(PYTHON), "drive.py", said=settings))
    assert answer == {
        "applications": [
            ["Deployment", [tenant.url("graphql")]],
            *([f"More {number}", []] for number in range(4)),
            ["Orders", ["https://orders.example.com/"]],
        ],
        "users": ["ann@example.com"],
        "nodes": ["ann@example.com", None],
        "stale": ["CONFLICT", 2],
        "taken": ["ALREADY_EXISTS", ["identifier"]],
        "forbidden": ["read:sessions"],
    }


def test_its_types_are_those_of_the_schema(generated: Path) -> None:
    ran(
        generated,
        *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
        *("--python-executable", str(PYTHON), "--config-file", "mypy.ini", "drive.py"),
    )
