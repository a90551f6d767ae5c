"""The other commands, and settings that are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.server import environment, free_port, run, serving
from tests.support.databases import Databases
from tests.support.dns import BROKEN, name_server

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "variable, value, says",
    [
        ("TENANTRY_PORT", "80000", "'80000'"),
        ("TENANTRY_PORT", "http", "'http'"),
        ("TENANTRY_WORKERS", "0", "'0'"),
        ("TENANTRY_PUBLIC_URL", "http://auth.example.com", "https unless"),
        ("TENANTRY_PUBLIC_URL", "https://auth.example.com/path", "without a path"),
        ("TENANTRY_TENANT_URL", "https://auth.example.com", "{name}"),
        ("TENANTRY_TENANT_URL", "https://auth.{name}.example.com", "leftmost"),
        ("TENANTRY_DATABASE_URL", "mysql://x", "postgresql://"),
        ("TENANTRY_ENCRYPTION_KEY", "short", "32 bytes"),
        ("TENANTRY_TRUSTED_PROXIES", "not-a-network", "not-a-network"),
        ("TENANTRY_DNS_SERVERS", "192.0.2.1:0", "192.0.2.1:0"),
        ("TENANTRY_LOG_FORMAT", "xml", "'json'"),
        ("TENANTRY_METRICS_PORT", "-1", "'-1'"),
        ("TENANTRY_BOOTSTRAP_CLIENT_SECRET", "short", "32"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_and_what_it_may_be(
    tmp_path: Path, variable: str, value: str, says: str
) -> None:
    env = environment(tmp_path, free_port()) | {variable: value}
    refused = run("serve", env=env)
    assert refused.returncode == 1
    assert variable in refused.stderr
    assert says in refused.stderr
    assert "It may be:" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "tenantry.db").exists()


def test_a_secret_is_never_repeated_in_a_refusal(tmp_path: Path) -> None:
    env = environment(tmp_path, free_port()) | {
        "TENANTRY_ENCRYPTION_KEY": "not-a-key-but-confidential",
        "TENANTRY_BOOTSTRAP_CLIENT_SECRET": "too-short-secret",
    }
    refused = run("serve", env=env)
    assert refused.returncode == 1
    assert "confidential" not in refused.stderr
    assert "too-short-secret" not in refused.stderr


def test_outside_of_development_secrets_are_required(tmp_path: Path) -> None:
    env = environment(tmp_path, free_port(), TENANTRY_PUBLIC_URL="https://auth.example.com")
    refused = run("serve", env=env)
    assert refused.returncode == 1
    assert "TENANTRY_ENCRYPTION_KEY" in refused.stderr
    env["TENANTRY_ENCRYPTION_KEY"] = "ab" * 32
    del env["TENANTRY_BOOTSTRAP_ADMIN_PASSWORD"]
    refused = run("serve", env=env)
    assert refused.returncode == 1
    assert "TENANTRY_BOOTSTRAP_ADMIN_PASSWORD" in refused.stderr


def test_another_encryption_key_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    env = environment(tmp_path, free_port(), TENANTRY_ENCRYPTION_KEY="ab" * 32)
    with serving(env):
        pass
    refused = run("serve", env=env | {"TENANTRY_ENCRYPTION_KEY": "cd" * 32})
    assert refused.returncode == 1
    assert "TENANTRY_ENCRYPTION_KEY" in refused.stderr
    with serving(env | {"TENANTRY_ENCRYPTION_KEY": f"{'cd' * 32},{'ab' * 32}"}):
        pass


def test_doctor_has_a_line_for_each_check_and_fails_when_one_fails(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", free_port())
    with serving(env):
        healthy = run("doctor", env=env)
    assert healthy.returncode == 0, healthy.stdout
    for subject in ("settings", "database", "migrations", "keys", "clock", "address"):
        assert f"ok   {subject}:" in healthy.stdout
    assert "isolation" in healthy.stdout

    alone = run("doctor", env=env)
    assert alone.returncode == 1
    assert "FAIL address:" in alone.stdout
    assert "ok   keys:" in alone.stdout


def test_doctor_looks_at_custom_domains(tmp_path: Path) -> None:
    """Each has its TXT record, or a line of its own; no domain of the settings is a tenant's."""
    names = name_server()
    address, port = names.address
    env = environment(
        tmp_path / "data",
        free_port(),
        TENANTRY_DNS_SERVERS=f"{address}:{port}",
        TENANTRY_ENCRYPTION_KEY="ab" * 32,
    )
    with serving(env):
        assert " domains:" not in run("doctor", env=env).stdout
    for domain in ("right", "lost", "silent"):
        _add_domain(tmp_path / "data", f"{domain}.doctor.example")
    names.say("_tenantry.right.doctor.example", "proof")
    names.say("_tenantry.lost.doctor.example", "another proof")
    names.faults["_tenantry.silent.doctor.example"] = BROKEN
    found = run("doctor", env=env)
    assert "note domains: lost.doctor.example of root: the TXT record of" in found.stdout
    assert "whether _tenantry.silent.doctor.example has its TXT record" in found.stdout
    assert "ok   domains: 1 of 3 custom domains are in order" in found.stdout
    taken = run("doctor", env=env | {"TENANTRY_PUBLIC_URL": "https://right.doctor.example"})
    assert "FAIL domains: right.doctor.example of root" in taken.stdout
    assert taken.returncode == 1
    wrong = run("doctor", env=env | {"TENANTRY_DNS_SERVERS": "dns.example"})
    assert wrong.returncode == 1
    assert "TENANTRY_DNS_SERVERS was 'dns.example': dns.example is not an IP" in wrong.stdout


def _add_domain(data: Path, domain: str) -> None:
    connection = sqlite3.connect(data / "tenantry.db")
    (tenant,) = connection.execute("SELECT id FROM tenants WHERE is_root").fetchone()
    now = "2030-01-01 00:00:00.000000"
    connection.execute(
        "INSERT INTO custom_domains (tenant_id, id, revision, created_at, updated_at, domain, "
        "type, status, verification_value, domain_metadata) "
        "VALUES (?, ?, 1, ?, ?, ?, 'managed_certs', 'ready', 'proof', '{}')",
        (tenant, domain, now, now, domain),
    )
    connection.execute(
        "INSERT INTO verified_domains (domain, owner_id, custom_domain_id) VALUES (?, ?, ?)",
        (domain, tenant, domain),
    )
    connection.commit()
    connection.close()


def test_tenants_are_made_and_listed(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", free_port())
    with serving(env) as server:
        made = run("tenant", "create", "acme", "--environment", "staging", env=env)
        assert made.returncode == 0, made.stderr
        issuer = f"http://localhost:{server.port}/t/acme/"
        assert made.stdout.split() == ["acme", "staging", issuer]
        listed = run("tenant", "list", env=env).stdout.splitlines()
        assert [line.split("\t")[0] for line in listed] == ["acme", "root"]
        for name in ("acme", "-acme"):
            refused = run("tenant", "create", "--", name, env=env)
            assert refused.returncode == 1
            assert "name:" in refused.stderr
        discovery = server.post("/t/acme/oauth/token", data={"grant_type": "password"})
        assert discovery.status_code == 401


@pytest.fixture
def migrated(databases: Databases, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of an installation whose database is current and without a row."""
    with databases.url("sqlite") as url:
        yield environment(tmp_path, free_port(), TENANTRY_DATABASE_URL=url)


def test_many_tenants_are_made_from_a_list(migrated: dict[str, str], tmp_path: Path) -> None:
    env = migrated
    path = tmp_path / "tenants.txt"
    path.write_text("# customers\nacme\tAcme Corporation\n\nglobex\n")
    made = run("tenant", "create-many", "--file", str(path), env=env)
    assert (made.returncode, made.stderr.splitlines()[-1]) == (0, "2 of 2 tenants were made.")
    again = run("tenant", "create-many", "--file", str(path), env=env)
    assert again.returncode == 1
    assert "line 2, acme: This name is or was a tenant's." in again.stderr
    path.write_text("acme\nglobex\ninitech\n")
    more = run("tenant", "create-many", "--file", str(path), "--skip-existing", env=env)
    assert (more.returncode, more.stderr.splitlines()[-1]) == (0, "1 of 3 tenants were made.")
    numbered = run("tenant", "create-many", "--prefix", "load", "--count", "12", env=env)
    assert numbered.returncode == 0
    names = [line.split("\t")[0] for line in run("tenant", "list", env=env).stdout.splitlines()]
    expected = ["acme", "globex", "initech", *(f"load-{number:02}" for number in range(1, 13))]
    assert names == expected
    assert run("tenant", "clear-access-control", "acme", env=env).returncode == 0
    nobody = run("tenant", "clear-access-control", "nobody", env=env)
    assert (nobody.returncode, nobody.stderr.strip()) == (1, "There is no tenant nobody.")


def test_a_list_with_one_bad_line_makes_no_tenant(migrated: dict[str, str], tmp_path: Path) -> None:
    env = migrated
    path = tmp_path / "tenants.txt"
    for bad in ("a\u202eb", "new"):
        path.write_text(f"new\nnewer\n{bad}\n", encoding="utf-8")
        refused = run("tenant", "create-many", "--file", str(path), env=env)
        assert refused.returncode == 1
        assert "line 3: " in refused.stderr
        assert "No tenant was made." in refused.stderr
    assert run("tenant", "list", env=env).stdout == ""
    missing = run("tenant", "create-many", "--file", str(tmp_path / "none"), env=env)
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr


def test_migrate_may_run_twice_and_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", free_port())
    assert run("migrate", env=env).returncode == 0
    assert run("migrate", env=env).returncode == 0
    connection = sqlite3.connect(tmp_path / "data" / "tenantry.db")
    connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.commit()
    connection.close()
    for command in ("migrate", "serve"):
        refused = run(command, env=env)
        assert refused.returncode == 1
        assert "newer" in refused.stderr


def test_the_schema_command_prints_the_committed_schema(tmp_path: Path) -> None:
    printed = run("schema", env=environment(tmp_path, free_port()))
    assert printed.stdout == (ROOT / "schema.graphql").read_text()
