"""The table of the specifications: every section, with the tests that prove it or why none does."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
FOLDER = TESTS / "specifications"
SPECIFICATIONS = {
    "openid_connect_core",
    "openid_connect_discovery",
    "openid_connect_registration",
    "openid_connect_rp_initiated_logout",
    "openid_connect_session_management",
    "openid_connect_front_channel_logout",
    "openid_connect_back_channel_logout",
    "openid_connect_ciba_core",
    *(f"rfc{number}" for number in (6749, 7009, 7591, 7636, 7662, 8252, 8414, 8628, 8693)),
    "jarm",
    *(f"rfc{number}" for number in (8705, 8707, 9068, 9101, 9126, 9207)),
    *(f"rfc{number}" for number in (9396, 9440, 9449, 9470, 9700, 9701)),
}
MEMBERS = {"title", "source", "parts", "contents", "sections"}


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The names of the tests of a module, without importing it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def numbers(section: str) -> tuple[int, ...]:
    return tuple(int(part) for part in section.split("."))


def test_every_specification_is_here() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == SPECIFICATIONS


@pytest.mark.parametrize("name", sorted(SPECIFICATIONS))
def test_the_table_of_contents_is_whole(name: str) -> None:
    """In order and without a gap; `parts` are the chapters, where not all of them are meant."""
    table = read(name)
    assert table.keys() <= MEMBERS
    contents: list[str] = table["contents"].split()
    assert contents == sorted(set(contents), key=numbers)
    listed = set(contents)
    chapters = [section for section in contents if "." not in section]
    assert chapters == table.get("parts", [str(n) for n in range(1, len(chapters) + 1)])
    for section in contents:
        *above, last = section.split(".")
        if above:
            before = [*above, str(int(last) - 1)] if last != "1" else above
            assert ".".join(before) in listed, section


@pytest.mark.parametrize("name", sorted(SPECIFICATIONS))
def test_every_section_has_tests_or_a_reason(name: str) -> None:
    table = read(name)
    assert list(table["sections"]) == table["contents"].split()
    for number, section in table["sections"].items():
        assert section.keys() <= {"title", "tests", "why", "note"}, number
        assert section["title"].strip(), number
        assert ("tests" in section) != ("why" in section), number
        assert all(section.get(member, "x").strip() for member in ("why", "note")), number
        if "tests" in section:
            assert section["tests"], number
            assert len(set(section["tests"])) == len(section["tests"]), number


@pytest.mark.parametrize("name", sorted(SPECIFICATIONS))
def test_every_test_exists(name: str) -> None:
    named = {test for each in read(name)["sections"].values() for test in each.get("tests", ())}
    missing = []
    for test in sorted(named):
        file, _, function = test.partition("::")
        path = TESTS.parent / file
        known = file.startswith("tests/") and path.is_file() and function in functions_of(path)
        missing += [] if known else [test]
    assert not missing
