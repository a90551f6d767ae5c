"""Finds what in `schema.graphql` breaks the clients of the last release.

`scripts/released.graphql` is the schema of the last release; until the first one it is what we
promised last. What is taken away, made narrower or put behind other scopes breaks a client; what
is added does not. A change that is meant is accepted with `scripts/check_schema.py --accept`,
which writes the released schema anew, in the commit that says why; a release does the same.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    value_from_ast_untyped,
)

REPOSITORY = Path(__file__).resolve().parent.parent
CURRENT = REPOSITORY / "schema.graphql"
RELEASED = REPOSITORY / "scripts" / "released.graphql"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="the current schema is the promise")
    parser.add_argument("--current", type=Path, default=CURRENT)
    parser.add_argument("--released", type=Path, default=RELEASED)
    arguments = parser.parse_args()
    current = arguments.current.read_text(encoding="utf-8")
    if arguments.accept:
        arguments.released.write_text(current, encoding="utf-8")
        return 0
    old = build_schema(arguments.released.read_text(encoding="utf-8"))
    broken = list(changes(old, build_schema(current)))
    for change in broken:
        print(change)
    if broken:
        print(
            "Clients of the last release break. If that is meant: scripts/check_schema.py --accept"
        )
    return 1 if broken else 0


def changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    """What breaks a client, a line each."""
    for change in find_breaking_changes(old, new):
        yield f"{change.type.name}: {change.description}"
    for name, old_type in old.type_map.items():
        new_type = new.type_map.get(name)
        if not isinstance(old_type, GraphQLObjectType | GraphQLInterfaceType):
            continue
        if not isinstance(new_type, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field in old_type.fields.keys() & new_type.fields.keys():
            before, after = scopes(old_type.fields[field]), scopes(new_type.fields[field])
            if any(not any(held >= needed for needed in after) for held in before):
                yield f"SCOPES_CHANGED: {name}.{field} needs scopes that it did not need."


def scopes(field: GraphQLField) -> list[frozenset[str]]:
    """The alternatives of `@requiresScopes`; the empty set is enough where there is none."""
    for directive in (field.ast_node.directives if field.ast_node else None) or ():
        if directive.name.value == "requiresScopes":
            argument = next(iter(directive.arguments or ()))
            return [frozenset(inner) for inner in value_from_ast_untyped(argument.value)]
    return [frozenset()]


if __name__ == "__main__":
    sys.exit(main())
