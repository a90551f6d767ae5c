"""What people and their applications do: sign in, refresh, ask who somebody is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from bench_support.code_flow import Flow, code_flow, drive_flows
from bench_support.fapi import ALGORITHM as PS256
from bench_support.fapi import Bank
from bench_support.load import (
    BEARER_SCRIPT,
    FORM_SCRIPT,
    REFRESH_SCRIPT,
    Measured,
    drive,
    driving,
    script,
)
from bench_support.management import Credentials
from bench_support.people import PEOPLE, People
from bench_support.proofs import LONGEST, PROOF_SCRIPT, Prover
from bench_support.recorder import Load, Recorder, say
from bench_support.report import Bound
from bench_support.signing import FLOWING, HASHING, PROVING

CONNECTIONS = 16
LOGIN_CONNECTIONS = 4
# wrk asks its script for one request that it never sends.
SPARE = 4
ALGORITHM = "RS256"


@dataclass(frozen=True)
class Scenarios:
    """The loads of the user flows on one running server."""

    recorder: Recorder
    people: People
    machines: Sequence[Credentials]
    folder: Path
    prover: Prover
    bank: Bank

    def run(self, names: Sequence[str]) -> None:
        for name in names:
            if name in SCENARIOS:
                SCENARIOS[name](self)

    def code(self) -> None:
        """From /authorize with a session to both tokens: two signatures."""
        self._flows("code", ALGORITHM, partial(code_flow, self.people), self._signing(2))

    def fapi(self) -> None:
        """FAPI 2.0: pushed and redeemed by assertions, with DPoP: five times JOSE."""
        bound = Bound("its JOSE", self.recorder.report.bare_rates[FLOWING])
        self._flows("fapi", PS256, self.bank.flow, bound)

    def _flows(self, name: str, algorithm: str, make: Callable[[str], Flow], bound: Bound) -> None:
        """Whole flows, each connection those of another person with a session."""
        port = self.people.port
        cookies = [self.people.sign_in(person) for person in range(CONNECTIONS)]
        making = [partial(make, cookie) for cookie in cookies]
        drive_flows(port, making, self.recorder.warm_up)
        ceilings = []

        def run_flows() -> Measured:
            flows = drive_flows(port, making, self.recorder.seconds)
            ceilings.append(flows.ceiling)
            return flows.measured

        self.recorder.record(Load(name, algorithm, CONNECTIONS), bound, run_flows)
        say(f"The client of these flows could drive {ceilings[0]:,.0f} a second by itself.")

    def refresh(self) -> None:
        """Each connection its own chain of rotated tokens: two signatures."""
        url = self._url("/oauth/token")
        drive(url, self._refreshing("warm-up"), CONNECTIONS, self.recorder.warm_up)
        lines = self._refreshing("refresh")
        load = Load("refresh", ALGORITHM, CONNECTIONS)
        self.recorder.drive(load, "/oauth/token", lines, self._signing(2))

    def userinfo(self) -> None:
        tokens = [self.people.tokens(person).access_token for person in range(PEOPLE)]
        self._stateless("userinfo", "/userinfo", BEARER_SCRIPT, tokens)

    def introspection(self) -> None:
        """Of the application's own users' access tokens."""
        tokens = [self.people.tokens(person).access_token for person in range(PEOPLE)]
        forms = [self._form(token=token) for token in tokens]
        self._stateless("introspection", "/oauth/introspect", FORM_SCRIPT, forms)

    def password(self) -> None:
        """Bound by the hashing of the password, which has threads of a low priority."""
        lines = self._logins()
        load = Load("password", ALGORITHM, LOGIN_CONNECTIONS)
        rate = self.recorder.report.bare_rates[HASHING]
        self.recorder.drive(load, "/oauth/token", lines, Bound(HASHING, rate))

    def beside(self) -> None:
        """Client credentials alone, then while people log in."""
        forms = [machine.form() for machine in self.machines]
        lines = script(self.folder, "machines", FORM_SCRIPT, forms)
        drive(self._url("/oauth/token"), lines, CONNECTIONS, self.recorder.warm_up)
        load = Load("token alone", ALGORITHM, CONNECTIONS)
        alone = self.recorder.drive(load, "/oauth/token", lines, self._signing(1))
        beside = Load("token beside logins", ALGORITHM, CONNECTIONS)
        bound = Bound("token alone", alone.requests_per_second)
        url = self._url("/oauth/token")
        seconds = self.recorder.seconds + 1
        with driving(url, self._logins(), LOGIN_CONNECTIONS, seconds) as finish:
            self.recorder.drive(beside, "/oauth/token", lines, bound)
            logins = finish()
        say(f"Beside them {logins.requests_per_second:,.1f} logins a second.")

    def proofs(self) -> None:
        """Client credentials by private_key_jwt with DPoP, each JWT signed beforehand for once."""
        rate, seconds = self.recorder.report.bare_rates[PROVING], self.recorder.seconds
        if self.recorder.warm_up + 2 * seconds > LONGEST:
            say(f"Proofs are good for {LONGEST} seconds: too few for so long a run.")
            return
        url, number = self._url("/oauth/token"), int(rate * seconds) + SPARE
        warm_up = int(rate * self.recorder.warm_up) + SPARE
        lines = script(self.folder, "warm-up", PROOF_SCRIPT, self.prover.lines(warm_up))
        drive(url, lines, CONNECTIONS, self.recorder.warm_up)
        lines = script(self.folder, "proofs", PROOF_SCRIPT, self.prover.lines(number))
        load = Load("proofs", ALGORITHM, CONNECTIONS)
        self.recorder.drive(load, "/oauth/token", lines, Bound("its JOSE", rate))

    def _stateless(self, name: str, path: str, lua: str, lines: Sequence[str]) -> None:
        written = script(self.folder, name, lua, lines)
        drive(self._url(path), written, CONNECTIONS, self.recorder.warm_up)
        self.recorder.drive(Load(name, None, CONNECTIONS), path, written, None)

    def _refreshing(self, name: str) -> Path:
        tokens = [self.people.tokens(person) for person in range(CONNECTIONS + SPARE)]
        forms = [
            self._form(grant_type="refresh_token", refresh_token=each.refresh_token)
            for each in tokens
        ]
        return script(self.folder, name, REFRESH_SCRIPT, forms)

    def _logins(self) -> Path:
        forms = [urlencode(self.people.password_form(person)) for person in range(PEOPLE)]
        return script(self.folder, "logins", FORM_SCRIPT, forms)

    def _form(self, **fields: str) -> str:
        application = self.people.application
        return urlencode(
            {
                "client_id": application.client_id,
                "client_secret": application.client_secret,
                **fields,
            }
        )

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.people.port}{path}"

    def _signing(self, signatures: int) -> Bound:
        name = f"{signatures} signatures" if signatures > 1 else "signing"
        return Bound(name, self.recorder.report.bare_rates[ALGORITHM] / signatures)


SCENARIOS: Mapping[str, Callable[[Scenarios], None]] = {
    "code": Scenarios.code,
    "fapi": Scenarios.fapi,
    "refresh": Scenarios.refresh,
    "userinfo": Scenarios.userinfo,
    "introspection": Scenarios.introspection,
    "password": Scenarios.password,
    "beside": Scenarios.beside,
    "proofs": Scenarios.proofs,
}
