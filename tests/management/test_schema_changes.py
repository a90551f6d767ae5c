"""The check that finds what in the schema breaks the clients of the last release."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCHEMA = """
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
type Query {
  tenant: Tenant @requiresScopes(scopes: [["read:a"], ["read:b", "read:c"]])
  open(kind: Kind): String
}
type Tenant { id: ID!, name: String }
enum Kind { A B }
input Change { id: ID!, name: String }
type Mutation { change(input: Change!): Tenant }
"""


def check(tmp_path: Path, current: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "released.graphql").write_text(SCHEMA)
    (tmp_path / "current.graphql").write_text(current)
    return subprocess.run(
        [
            *(sys.executable, "scripts/check_schema.py"),
            *("--released", str(tmp_path / "released.graphql")),
            *("--current", str(tmp_path / "current.graphql")),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "old, new",
    [
        ("name: String }\nenum", "name: String, more: Int }\nenum"),
        ("A B", "A B C"),
        ("input Change { id: ID!,", "input Change { more: Int, id: ID!,"),
        ("name: String }\nenum", "name: String! }\nenum"),
        ("open(kind: Kind)", "open(kind: Kind, more: Int)"),
        ('["read:a"], ', '["read:a"], ["read:d"], '),
        ('["read:b", "read:c"]', '["read:b"]'),
        ("A B", "A B"),
    ],
)
def test_what_is_added_breaks_nobody(tmp_path: Path, old: str, new: str) -> None:
    assert old in SCHEMA
    done = check(tmp_path, SCHEMA.replace(old, new))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("name: String }\nenum", "}\nenum", "Tenant.name"),
        ("A B", "A", "B was removed"),
        ("id: ID!, name: String }\ntype", "id: ID!, name: String! }\ntype", "Change.name"),
        ("Change { id", "Change { more: Int!, id", "more"),
        ("open(kind: Kind)", "open(kind: Kind!)", "kind"),
        ('["read:b", "read:c"]', '["read:b", "read:c", "read:d"]', "Query.tenant needs scopes"),
        (
            "open(kind: Kind): String",
            'open(kind: Kind): String @requiresScopes(scopes: [["x"]])',
            "Query.open needs scopes",
        ),
    ],
)
def test_what_is_taken_away_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SCHEMA
    done = check(tmp_path, SCHEMA.replace(old, new))
    assert done.returncode == 1, done.stderr
    assert said in done.stdout
    assert "--accept" in done.stdout
