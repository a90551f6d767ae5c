"""Measures the server on this machine: tokens, the flows of people, discovery, keys.

Starts the real server on an empty database (SQLite; then PostgreSQL, if one answers at
TENANTRY_BENCH_POSTGRESQL_URL or the address that the tests use) and makes APIs, applications and
users through the management API. The rates at which the machine signs, and hashes passwords, are
measured in the same run. The flows of people are measured with the most workers: `code` from
/authorize to both tokens, `fapi` the whole flow of FAPI 2.0 from /oauth/par, `refresh` with
rotation, `userinfo`, `introspection`, `password`, and `beside`, which is client credentials alone
and while people log in. Load is made by wrk, for `code` and `fapi` by a client of our own.
`administration` is what the management API takes, in the server itself: lists, one object, a
change, the search among many users, many tenants.
"""

import argparse
import json
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench_support.administration import Size, administer
from bench_support.databases import new_database, postgresql_url
from bench_support.fapi import create_bank
from bench_support.http import get
from bench_support.load import FORM_SCRIPT, drive, get_script, script
from bench_support.management import Credentials, Management, access_token, algorithm_of
from bench_support.people import create_people
from bench_support.proofs import create_prover
from bench_support.recorder import Load, Recorder, say
from bench_support.report import Bound, Memory, Report
from bench_support.scenarios import ALGORITHM, SCENARIOS, Scenarios
from bench_support.server import BenchError, Server, free_port, running
from bench_support.signing import FLOWING, HASHING, PROVING, bare_rate

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENTS = {
    "discovery": "/.well-known/openid-configuration",
    "keys": "/.well-known/jwks.json",
}
DOCUMENT_CONNECTIONS = 16
ALL = ["token", *SCENARIOS, "documents", "administration"]
USERS = {"sqlite": 100_000, "postgresql": 1_000_000}


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long."""

    databases: list[str]
    scenarios: list[str]
    algorithms: list[str]
    workers: list[int]
    connections: list[int]
    applications: int
    seconds: int
    warm_up: int
    signing_seconds: float
    users: int | None
    tenants: int


def main() -> int:
    arguments = parse()
    plan = planned(arguments)
    # Whatever ends the run, the server and the databases go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report(applications=plan.applications)
    try:
        measure(plan, report)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\n{report.text()}")
    output = arguments.output or default_output()
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report.json(), indent=2) + "\n", encoding="utf-8")
    print(f"\nAlso in {output}")
    return 1 if report.errors else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, for a first look")
    parser.add_argument("--duration", type=bounded(1, 120), help="seconds a run (10; quick: 2)")
    parser.add_argument("--applications", type=bounded(1, 10_000), help="(1000; quick: 100)")
    parser.add_argument("--connections", type=bounded(1, 1000), nargs="+", default=[1, 16, 64])
    parser.add_argument("--workers", type=bounded(1, 64), nargs="+", default=[1, 2])
    parser.add_argument(
        "--users", type=bounded(1, 10_000_000), help="(1,000,000, SQLite 100,000; quick: 10,000)"
    )
    parser.add_argument("--tenants", type=bounded(100, 1_000_000), help="(10,000; quick: 200)")
    for name, choices in {
        "--algorithms": ["RS256", "ES256"],
        "--databases": ["sqlite", "postgresql"],
        "--scenarios": ALL,
    }.items():
        parser.add_argument(name, choices=choices, nargs="+", default=choices)
    parser.add_argument("--output", type=Path, help="where the JSON goes (.tenantry/bench-….json)")
    return parser.parse_args()


def bounded(least: int, most: int) -> Callable[[str], int]:
    def parse_number(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{number} is not in {least}–{most}")
        return number

    return parse_number


def planned(arguments: argparse.Namespace) -> Plan:
    quick: bool = arguments.quick
    return Plan(
        databases=arguments.databases,
        scenarios=arguments.scenarios,
        algorithms=arguments.algorithms,
        workers=arguments.workers,
        connections=arguments.connections,
        applications=arguments.applications or (100 if quick else 1000),
        seconds=arguments.duration or (2 if quick else 10),
        warm_up=1 if quick else 3,
        signing_seconds=1.0 if quick else 5.0,
        users=arguments.users or (10_000 if quick else None),
        tenants=arguments.tenants or (200 if quick else 10_000),
    )


def default_output() -> Path:
    return REPOSITORY / ".tenantry" / f"bench-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"


def measure(plan: Plan, report: Report) -> None:
    for work in [*dict.fromkeys([*plan.algorithms, ALGORITHM]), HASHING, PROVING, FLOWING]:
        say(f"How fast the machine is at {work} …")
        report.bare_rates[work] = bare_rate(work, plan.signing_seconds)
    for database in plan.databases:
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="tenantry-bench-"))
            )
            environment = {"TENANTRY_DATA_DIR": str(folder / "data")}
            if database == "postgresql":
                url = postgresql_url()
                if url is None:
                    report.notes.append("No PostgreSQL answers, so it is not measured.")
                    continue
                environment["TENANTRY_DATABASE_URL"] = stack.enter_context(new_database(url))
            if plan.scenarios != ["administration"]:
                Bench(plan, report, database, folder, environment).run()
        if "administration" in plan.scenarios:
            _administer(plan, report, database)


def _administer(plan: Plan, report: Report, database: str) -> None:
    """On a database of its own, which it fills."""
    size = Size(plan.users or USERS[database], plan.tenants, min(100, plan.tenants))
    if database == "sqlite":
        with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder:
            administer(database, f"sqlite:///{folder}/tenantry.db", size, report)
    elif url := postgresql_url():
        with new_database(url) as made:
            administer(
                database, made.replace("postgresql:", "postgresql+psycopg:", 1), size, report
            )


class Bench:
    """The measurements on one database."""

    def __init__(
        self, plan: Plan, report: Report, database: str, folder: Path, environment: dict[str, str]
    ) -> None:
        self._plan, self._report, self._database, self._folder = plan, report, database, folder
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._bootstrap = Credentials(
            "tenantry-bench", secrets.token_urlsafe(32), f"{self._url}/graphql"
        )
        self._environment = {
            **environment,
            "TENANTRY_HOST": "127.0.0.1",
            "TENANTRY_PORT": str(self._port),
            "TENANTRY_PUBLIC_URL": self._url,
            # The limits are checked, as they always are, and never reached.
            "TENANTRY_RATE_LIMIT_FACTOR": "1000000",
            "TENANTRY_BOOTSTRAP_CLIENT_ID": self._bootstrap.client_id,
            "TENANTRY_BOOTSTRAP_CLIENT_SECRET": self._bootstrap.client_secret,
        }

    def run(self) -> None:
        with self._server(workers=1):
            say(f"{self._database}: making {self._plan.applications} applications …")
            management = Management(self._port, self._bootstrap)
            self._applications = management.create_applications(
                self._plan.applications, list(dict.fromkeys([*self._plan.algorithms, ALGORITHM]))
            )
            self._people = create_people(self._port, management)
            self._prover = create_prover(self._port, management, ALGORITHM)
            self._bank = create_bank(self._port, management)
        for workers in self._plan.workers:
            with self._server(workers) as server:
                access_token(self._port, self._bootstrap)
                idle = server.memory()
                recorder = Recorder(
                    self._report, self._database, server, self._plan.seconds, self._plan.warm_up
                )
                self._measure(recorder, workers)
                self._report.memory.append(Memory(self._database, workers, idle, server.memory()))

    def _measure(self, recorder: Recorder, workers: int) -> None:
        wanted = self._plan.scenarios
        if "token" in wanted:
            for algorithm in self._plan.algorithms:
                self._tokens(recorder, algorithm)
        if workers == max(self._plan.workers):
            machines = self._applications[ALGORITHM]
            Scenarios(recorder, self._people, machines, self._folder, self._prover, self._bank).run(
                wanted
            )
        if "documents" in wanted:
            self._documents(recorder)

    def _server(self, workers: int) -> AbstractContextManager[Server]:
        return running(self._environment, self._port, workers, self._folder / "server.log")

    def _tokens(self, recorder: Recorder, algorithm: str) -> None:
        applications = self._applications[algorithm]
        if (actual := algorithm_of(access_token(self._port, applications[0]))) != algorithm:
            raise BenchError(f"the API was made with {algorithm} and its tokens have {actual}")
        lines = script(
            self._folder, f"token-{algorithm}", FORM_SCRIPT, [one.form() for one in applications]
        )
        drive(f"{self._url}/oauth/token", lines, 16, self._plan.warm_up)
        bound = Bound("signing", self._report.bare_rates[algorithm])
        for connections in self._plan.connections:
            load = Load("token", algorithm, connections)
            recorder.drive(load, "/oauth/token", lines, bound)

    def _documents(self, recorder: Recorder) -> None:
        lines = get_script(self._folder)
        for name, path in DOCUMENTS.items():
            status, _ = get(self._port, path)
            if status != 200:
                raise BenchError(f"{path} answered {status}")
            recorder.drive(Load(name, None, DOCUMENT_CONNECTIONS), path, lines, None)


if __name__ == "__main__":
    sys.exit(main())
