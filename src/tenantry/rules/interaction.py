"""What an authorization needs next from the person: nothing, a login, a consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tenantry.core.facts import ApplicationFacts, ConsentFacts, ResourceServerFacts
from tenantry.rules.redirect_uris import is_local, is_private_use

PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class Step(StrEnum):
    ORGANIZATION = "organization"
    LOGIN = "login"
    SELECT_ACCOUNT = "select_account"
    CONSENT = "consent"
    CONFIRM = "confirm"
    ISSUE = "issue"
    LOGIN_REQUIRED = "login_required"
    CONSENT_REQUIRED = "consent_required"
    INTERACTION_REQUIRED = "interaction_required"


@dataclass(frozen=True, slots=True)
class InteractionFacts:
    """`auth_time` is None without a session; the `*_here` happened in this authorization.

    `is_expected_person` is False where an `id_token_hint` or a requested `sub` names somebody else.
    """

    prompt: Sequence[str]
    max_age: int | None
    auth_time: datetime | None
    is_expected_person: bool
    authenticated_here: bool
    account_chosen_here: bool
    needs_consent: bool
    consented_here: bool
    needs_confirmation: bool
    confirmed_here: bool
    now: datetime


def next_step(facts: InteractionFacts) -> Step:
    """OpenID Connect Core §3.1.2.1 to §3.1.2.4: account, login, consent, then the answer."""
    silent = "none" in facts.prompt
    if facts.auth_time is not None and _must_choose(facts):
        return Step.SELECT_ACCOUNT
    if facts.auth_time is None or (_must_login(facts) and not facts.authenticated_here):
        return Step.LOGIN_REQUIRED if silent else Step.LOGIN
    if not facts.is_expected_person:
        # §3.1.2.1: somebody else who is signed in gets no answer meant for the hint's person.
        return Step.LOGIN_REQUIRED if silent or facts.authenticated_here else Step.LOGIN
    asked = "consent" in facts.prompt
    if (facts.needs_consent or asked) and not facts.consented_here:
        return Step.CONSENT_REQUIRED if silent else Step.CONSENT
    # RFC 8252 §8.6: another program may have claimed the scheme, so a person has to look.
    if facts.needs_confirmation and not (facts.confirmed_here or facts.consented_here):
        return Step.INTERACTION_REQUIRED if silent else Step.CONFIRM
    return Step.ISSUE


def _must_choose(facts: InteractionFacts) -> bool:
    answered = facts.account_chosen_here or facts.authenticated_here
    return "select_account" in facts.prompt and not answered


def _must_login(facts: InteractionFacts) -> bool:
    if "login" in facts.prompt:
        return True
    if facts.max_age is None or facts.auth_time is None:
        return False
    return facts.now - facts.auth_time > timedelta(seconds=facts.max_age)


def needs_confirmation(
    application: ApplicationFacts, tenant_confirms: bool, redirect_uri: str
) -> bool:
    """Whether the person confirms before a private-use scheme; the application's word is last."""
    own = application.non_verifiable_callback_confirmation
    return is_private_use(redirect_uri) and (tenant_confirms if own is None else own)


def needs_consent(
    application: ApplicationFacts,
    api: ResourceServerFacts | None,
    redirect_uri: str,
    scopes: Sequence[str],
    stored: ConsentFacts | None,
) -> bool:
    """Whether the person is asked.

    A first-party application is trusted unless the API wants to ask or any program on the
    user's machine could be behind its redirect; the server's own pages are always trusted.
    What was allowed before is not asked again, by first or third parties.
    """
    trusted = application.is_first_party and (api is None or api.skip_consent_for_first_party)
    if trusted and (application.is_system or not is_local(redirect_uri)):
        return False
    return stored is None or not set(scopes) <= set(stored.scopes)
