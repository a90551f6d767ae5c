"""What administrators do, on a large installation: milliseconds and statements of each request."""

import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench_support.crowd import create_crowd
from bench_support.inside import Inside, inside, resident
from bench_support.recorder import say
from bench_support.report import Administered, Report
from bench_support.server import BenchError
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import Scope, SubjectType
from tenantry.services import (
    applications,
    client_grants,
    resource_servers,
    tenant_list,
    tenants,
)
from tenantry.services.commands import NewApplication
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

LISTED, GRANTS, CONFIGURED = 100, 5, 1000
REPEATED = 30

LIST = """{ applications(first: 100) { nodes {
  id name clientId applicationType createdAt revision
  clientGrants(first: 5) { nodes { id audience scopes } } } } }"""
ONE = """query($id: String!) { application(clientId: $id) {
  id name clientId applicationType redirectUris grantTypes tokenEndpointAuthMethod revision } }"""
NODE = "query($id: ID!) { node(id: $id) { id ... on Application { name clientId } } }"
UPDATE = """mutation($input: ApplicationUpdateInput!) { applicationUpdate(input: $input) {
  application { id name revision } errors { code } } }"""
EXPORT = "{ configurationExport(format: JSON) { document } }"
PLAN = """query($input: ConfigurationPlanInput!) { configurationPlan(input: $input) {
  plan { hash changes { __typename } } errors { code field message } } }"""
SEARCH = """query($filter: UserFilter!) { users(first: 50, filter: $filter) {
  nodes { id userId email name createdAt } pageInfo { hasNextPage endCursor } } }"""
TENANTS = """query($after: String) { tenants(first: 100, after: $after) {
  nodes { id name issuer environment } pageInfo { endCursor } } }"""
ENTERPRISE = [{"path": ["plan"], "equals": "enterprise"}]
SEARCHES: dict[str, dict[str, object]] = {
    "a whole name": {"search": "ada lovelace99"},
    "a rare word": {"search": "lamport77"},
    "a frequent word": {"search": "knuth"},
    "two frequent words": {"search": "ada love"},
    "no match": {"search": "nobody"},
    "metadata": {"appMetadata": ENTERPRISE},
    "beginning of an email": {"emailPrefix": "grace.hopper"},
    "blocked": {"blocked": True},
}


@dataclass(frozen=True)
class Size:
    """How much there is of what."""

    users: int
    tenants: int
    active: int


def administer(database: str, url: str, size: Size, report: Report) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder,
        inside(url, Path(folder)) as server,
    ):
        bench = Administration(server, database, size, report)
        bench.applications()
        bench.configuration()
        bench.tenants()
        bench.users()


def _more_applications(db: TenantSession) -> None:
    for number in range(LISTED, CONFIGURED):
        values = {"name": f"Application {number}", "application_type": "non_interactive"}
        applications.create(db, NewApplication(values))


@dataclass(frozen=True)
class Administration:
    """The measurements on one database."""

    server: Inside
    database: str
    size: Size
    report: Report

    def applications(self) -> None:
        say(f"{self.database}: {LISTED} applications with {GRANTS} client grants each …")
        self.server.write(self.server.root, self._furnish)
        self._measure("list of 100 applications with grants", LIST, [{}] * REPEATED)
        nodes = self.server.data("{ applications(first: 100) { nodes { id clientId } } }")
        found = nodes["applications"]["nodes"]
        by_client_id: list[dict[str, object]] = [
            {"id": found[number]["clientId"]} for number in range(REPEATED)
        ]
        self._measure("one application by client id", ONE, by_client_id)
        by_id: list[dict[str, object]] = [{"id": found[number]["id"]} for number in range(REPEATED)]
        self._measure("one application by id", NODE, by_id)
        changes: list[dict[str, object]] = [
            {"input": {"id": found[-1]["id"], "name": f"Changed {number}"}}
            for number in range(REPEATED)
        ]
        self._measure("one update", UPDATE, changes)

    def _furnish(self, db: TenantSession) -> None:
        audiences = [f"https://api{number}.example.com/" for number in range(GRANTS)]
        for audience in audiences:
            scopes = (Scope("read:things", "Read things"),)
            values = {"name": "API", "identifier": audience, "scopes": scopes}
            resource_servers.create(db, values)
        for number in range(LISTED):
            values = {"name": f"Application {number}", "application_type": "non_interactive"}
            made = applications.create(db, NewApplication(values)).application
            for audience in audiences:
                client_grants.create(
                    db,
                    self.server.runtime.addresses,
                    {
                        "client_id": made.client_id,
                        "audience": audience,
                        "subject_type": SubjectType.CLIENT,
                        "scopes": ("read:things",),
                    },
                )

    def configuration(self) -> None:
        say(f"{self.database}: {CONFIGURED} applications …")
        self.server.write(self.server.root, _more_applications)
        self._measure(f"export of {CONFIGURED} applications", EXPORT, [{}] * 3)
        document = self.server.data(EXPORT)["configurationExport"]["document"]
        asked: dict[str, object] = {"input": {"document": document}}
        plan = self.server.data(PLAN, **asked)["configurationPlan"]
        if plan["errors"] or plan["plan"]["changes"]:
            raise BenchError(f"the plan of an export is not empty: {json.dumps(plan)[:1000]}")
        self._measure(f"plan of {CONFIGURED} applications", PLAN, [asked] * 3)

    def tenants(self) -> None:
        say(f"{self.database}: {self.size.tenants} tenants …")
        names = tenant_list.numbered("load", self.size.tenants)
        walls, computed = [], []
        for name in names:
            wall, cpu = time.perf_counter(), time.process_time()
            self.server.runtime.store.write_now(
                INSTALLATION,
                Caller(SYSTEM),
                tenants.create,
                self.server.runtime.addresses,
                name,
                {},
            )
            walls.append((time.perf_counter() - wall) * 1000)
            computed.append((time.process_time() - cpu) * 1000)
        self._note("tenantCreate", statistics.median(walls), statistics.median(computed))
        pages: list[dict[str, object]] = []
        after = None
        for _ in range(REPEATED):
            pages.append({"after": after})
            after = self.server.data(TENANTS, after=after)["tenants"]["pageInfo"]["endCursor"]
        self._measure("list of 100 tenants", TENANTS, pages)
        before = resident()
        self._visit(names[: self.size.active])
        some = resident()
        self._visit(names)
        every = resident()
        self.report.notes.append(
            f"{self.database}, one process with {self.size.tenants} tenants: {before:.0f} MiB, "
            f"{some:.0f} after requests to {self.size.active} of them, "
            f"{every:.0f} after requests to all."
        )

    def _visit(self, names: list[str]) -> None:
        for name in names:
            self.server.get(f"/t/{name}/.well-known/openid-configuration")

    def users(self) -> None:
        say(f"{self.database}: {self.size.users} users …")
        create_crowd(self.server.database, self.server.root, self.size.users)
        self._measure("list of 50 users", SEARCH, [{"filter": {}}] * REPEATED)
        for name, criteria in SEARCHES.items():
            self._measure(f"50 users: {name}", SEARCH, [{"filter": criteria}] * REPEATED)

    def _measure(self, name: str, query: str, several: list[dict[str, object]]) -> None:
        cost = self.server.cost(query, several)
        self._note(name, cost.wall_ms, cost.cpu_ms, cost.statements)

    def _note(self, name: str, wall: float, cpu: float, statements: int | None = None) -> None:
        self.report.administration.append(Administered(self.database, name, wall, cpu, statements))
        counted = "" if statements is None else f", {statements} statements"
        say(f"{self.database} {name}: {wall:.1f} ms, {cpu:.1f} CPU ms{counted}")
