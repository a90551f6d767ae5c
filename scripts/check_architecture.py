"""Rules of the architecture that no linter knows, read off the syntax tree.

1. No SQL outside `store/`. Tables in `models/` may use column types, but no queries.
2. Every store function that queries takes the tenant first: a parameter annotated `TenantSession`.
3. Cryptography stays in `keys/`, JOSE in `keys/` and `tokens/verify`.
4. Only `tokens/issue` signs tokens; only `oauth/client_authentication` makes an
   `AuthenticatedClient`.
5. A file is at most 300 lines long.

Prints `path:line: message` for each breach and exits with 1 if there is any.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "src" / "tenantry"

# Store modules whose functions need no tenant, each with its reason. A name ending in a slash is
# a folder.
TENANTLESS_STORE: dict[str, str] = {
    "store/migrations/": "changes the schema, which all tenants share",
    "store/installation.py": "the one module that crosses tenants",
    "store/epochs.py": "reads the epochs of all tenants at once",
    "store/fast_insert.py": "writes rows that carry their tenants, of many at once",
    "store/replay_queue.py": "claims identifiers that carry their tenants, of many at once",
    "store/log_positions.py": "says how a transaction stands to the others, whatever its tenant",
}

# Files that may be longer, each with its reason.
LONG_FILES: dict[str, str] = {}
MAX_LINES = 300

SQL_LIBRARIES = {"sqlalchemy", "sqlmodel"}
DRIVERS = {"aiosqlite", "asyncpg", "psycopg", "psycopg_pool", "sqlite3"}
QUERIES = {
    "Connection",
    "Engine",
    "Session",
    "alias",
    "and_",
    "create_engine",
    "cte",
    "delete",
    "exists",
    "func",
    "insert",
    "join",
    "literal_column",
    "or_",
    "select",
    "selectinload",
    "sessionmaker",
    "text",
    "tuple_",
    "union",
    "union_all",
    "update",
    "values",
}
# What a table needs for an index predicate or a default, and what is no query there.
DEFINITIONS = {"func", "text"}
EXECUTING = {"exec", "execute", "executemany", "scalar", "scalars", "stream", "stream_scalars"}
DATABASE_TYPES = {"Connection", "Engine", "Session", "TenantSession"}
CONSTRUCTS = {"delete", "exists", "insert", "select", "text", "union", "union_all", "update"}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file: its path inside the package, its lines and its tree."""

    name: str
    lines: int
    tree: ast.Module

    def is_in(self, *places: str) -> bool:
        """Whether this is one of the files, or in one of the folders, which end in a slash."""
        return any(
            self.name.startswith(place) if place.endswith("/") else self.name == place
            for place in places
        )


@dataclass(frozen=True, order=True)
class Finding:
    """A breach, and where it is."""

    path: str
    line: int
    message: str


@dataclass(frozen=True)
class Import:
    """One imported name: `from source import name`, or `import source` without a name."""

    source: str
    name: str | None
    line: int

    @property
    def library(self) -> str:
        return self.source.partition(".")[0]

    @property
    def full(self) -> str:
        return f"{self.source}.{self.name}" if self.name else self.source


def main() -> int:
    modules = [load(path) for path in sorted(PACKAGE.rglob("*.py"))]
    findings = sorted(check(modules))
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.message}")
    if findings:
        print(f"{len(findings)} breaches of the architecture in {len(modules)} files")
        return 1
    print(f"The architecture holds in {len(modules)} files.")
    return 0


def load(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    return Module(
        name=path.relative_to(PACKAGE).as_posix(),
        lines=len(source.splitlines()),
        tree=ast.parse(source, filename=str(path)),
    )


def check(modules: Iterable[Module]) -> Iterator[Finding]:
    """All findings in all modules, in no order."""
    rules = (sql_in_the_store, tenant_first, cryptography_in_keys, sole_makers, short_files)
    modules = list(modules)
    for module in modules:
        for rule in rules:
            for line, message in rule(module):
                yield Finding(f"src/tenantry/{module.name}", line, message)
    yield from stale_exceptions({module.name for module in modules})


def sql_in_the_store(module: Module) -> Iterator[tuple[int, str]]:
    """No driver, no query and no executed statement outside `store/`."""
    if module.is_in("store/"):
        return
    forbidden = QUERIES - DEFINITIONS if module.is_in("models/") else QUERIES
    for found in imports(module.tree):
        if found.library in DRIVERS:
            yield found.line, f"imports {found.source}: databases are the store's"
        elif found.library in SQL_LIBRARIES and found.name in forbidden:
            yield found.line, f"imports {found.full}: queries are the store's"
    aliases = module_aliases(module.tree, SQL_LIBRARIES)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id in aliases and node.attr in forbidden:
            yield node.lineno, f"uses {node.value.id}.{node.attr}: queries are the store's"
        elif node.value.id in {"connection", "db", "session"} and node.attr in EXECUTING:
            yield node.lineno, f"uses {node.value.id}.{node.attr}: SQL is run by the store"
        elif node.value.id == "db" and node.attr == "connection":
            yield node.lineno, "uses db.connection, which is the store's"


def tenant_first(module: Module) -> Iterator[tuple[int, str]]:
    """Public store functions that query take a `TenantSession` first."""
    if not module.is_in("store/") or module.is_in(*TENANTLESS_STORE):
        return
    functions = {node.name: node for node in module.tree.body if isinstance(node, FunctionNode)}
    querying = {name for name, node in functions.items() if _queries(node)}
    while more := {
        name
        for name, node in functions.items()
        if name not in querying and querying & names_used(node)
    }:
        querying |= more
    for name in sorted(querying):
        if not name.startswith("_"):
            yield from _tenant_first(functions[name], name, skip=0)
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if not isinstance(method, FunctionNode) or method.name.startswith("_"):
                    continue
                if _queries(method) or querying & names_used(method):
                    skip = 0 if "staticmethod" in decorators(method) else 1
                    yield from _tenant_first(method, f"{node.name}.{method.name}", skip)


def _tenant_first(node: FunctionNode, name: str, skip: int) -> Iterator[tuple[int, str]]:
    parameters = [*node.args.posonlyargs, *node.args.args][skip:]
    if not parameters or annotation_name(parameters[0].annotation) != "TenantSession":
        yield node.lineno, f"{name} does not take a TenantSession as its first parameter"


def _queries(node: FunctionNode) -> bool:
    """Whether a function runs a statement, builds one, or is handed what could run one."""
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return (
        bool({annotation_name(one.annotation) for one in parameters} & DATABASE_TYPES)
        or bool(names_used(node) & CONSTRUCTS)
        or any(
            isinstance(inner, ast.Attribute) and inner.attr in EXECUTING for inner in ast.walk(node)
        )
    )


def cryptography_in_keys(module: Module) -> Iterator[tuple[int, str]]:
    """Primitives only in `keys/`, JOSE only there and where tokens are verified."""
    if module.is_in("keys/"):
        return
    for found in imports(module.tree):
        if found.full.startswith("cryptography.hazmat"):
            yield found.line, f"imports {found.full}: cryptography is for keys/"
        elif found.library == "joserfc" and not module.is_in("tokens/verify.py"):
            yield found.line, f"imports {found.full}: JOSE is for keys/ and tokens/verify.py"
        elif found.full.startswith("authlib.jose"):
            yield found.line, "imports authlib.jose, which is deprecated: use joserfc, in keys/"


def sole_makers(module: Module) -> Iterator[tuple[int, str]]:
    """`tokens/issue` alone signs tokens; `oauth/client_authentication` alone trusts a client."""
    if not module.is_in("keys/", "tokens/issue.py"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and "sign_jwt" in {a.name for a in node.names}:
                yield node.lineno, "imports sign_jwt: only tokens/issue.py signs tokens"
            elif isinstance(node, ast.Attribute) and node.attr == "sign_jwt":
                yield node.lineno, "uses sign_jwt: only tokens/issue.py signs tokens"
    if not module.is_in("oauth/client_authentication.py"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and called_name(node) == "AuthenticatedClient":
                yield (
                    node.lineno,
                    "makes an AuthenticatedClient: only oauth/client_authentication.py may",
                )


def short_files(module: Module) -> Iterator[tuple[int, str]]:
    if module.lines > MAX_LINES and module.name not in LONG_FILES:
        yield MAX_LINES + 1, f"has {module.lines} lines, more than {MAX_LINES}: divide it"


def stale_exceptions(names: set[str]) -> Iterator[Finding]:
    """An exception for a file that is gone must go too."""
    script = Path(__file__).relative_to(REPOSITORY).as_posix()
    for excepted in [*TENANTLESS_STORE, *LONG_FILES]:
        folder = excepted.endswith("/")
        if not (any(n.startswith(excepted) for n in names) if folder else excepted in names):
            yield Finding(script, 1, f"makes an exception for {excepted}, which does not exist")


def imports(tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(node.module or "", alias.name, node.lineno)


def module_aliases(tree: ast.Module, libraries: set[str]) -> set[str]:
    """The names under which whole modules of these libraries are known here."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] in libraries
    }


def annotation_name(annotation: ast.expr | None) -> str | None:
    """The last name of an annotation, be it written as a name, dotted or in quotes."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.rpartition(".")[2]
    if isinstance(annotation, ast.Attribute):
        return annotation.attr
    return annotation.id if isinstance(annotation, ast.Name) else None


def names_used(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def called_name(node: ast.Call) -> str | None:
    return annotation_name(node.func)


def decorators(node: FunctionNode) -> set[str | None]:
    return {annotation_name(decorator) for decorator in node.decorator_list}


if __name__ == "__main__":
    sys.exit(main())
