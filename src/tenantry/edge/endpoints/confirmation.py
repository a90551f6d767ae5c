"""`/u/account` and `/u/confirm`: which account answers, and to which program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import UserFacts
from tenantry.edge.branding import application_view, branding_of
from tenantry.edge.endpoints.authorize import answer
from tenantry.edge.render import page
from tenantry.edge.waiting import (
    Waiting,
    posted_form,
    refused,
    resume,
    waiting_authorization,
)
from tenantry.oauth import person
from tenantry.pages import ConfirmView, SelectAccountView, confirm_page, select_account_page
from tenantry.rules.interaction import Step


async def account_form(request: Request) -> Response:
    """`GET /u/account`."""
    return await _form(request, Step.SELECT_ACCOUNT, _account_page)


async def account(request: Request) -> Response:
    """`POST /u/account`."""
    return await _decided(request, ("continue", "another"), person.after_choice, "present")


async def confirm_form(request: Request) -> Response:
    """`GET /u/confirm`."""
    return await _form(request, Step.CONFIRM, _confirm_page)


async def confirm(request: Request) -> Response:
    """`POST /u/confirm`."""
    return await _decided(request, ("continue", "cancel"), person.after_confirmation, "confirmed")


def _name(user: UserFacts) -> str:
    return user.name or user.email or user.username or user.id


def _account_page(waiting: Waiting, user: UserFacts) -> str:
    view = SelectAccountView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        _name(user),
        user.email or user.username or "",
        waiting.action("account"),
        waiting.form_token(),
    )
    return select_account_page(view)


def _confirm_page(waiting: Waiting, user: UserFacts) -> str:
    view = ConfirmView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        _name(user),
        waiting.action("confirm"),
        waiting.form_token(),
    )
    return confirm_page(view)


async def _form(
    request: Request, step: Step, render: Callable[[Waiting, UserFacts], str]
) -> Response:
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    asked = await waiting.runtime.store.read(
        waiting.tenant.id,
        waiting.context.caller(),
        person.asked_at,
        waiting.subject,
        waiting.found,
        step,
    )
    if asked is None:
        return await resume(waiting)
    return page(render(waiting, asked[0]))


async def _decided(
    request: Request, decisions: tuple[str, str], after: Callable[..., Any], keyword: str
) -> Response:
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    posted = await posted_form(request, waiting)
    if isinstance(posted, Response):
        return posted
    decision = posted.as_mapping().get("decision")
    if decision not in decisions or "decision" in posted.repeated:
        return refused(request, waiting.tenant, f"The form says neither {' nor '.join(decisions)}.")
    outcome = await waiting.runtime.store.write(
        waiting.tenant.id,
        waiting.context.caller(),
        after,
        waiting.subject,
        waiting.found,
        waiting.handle,
        **{keyword: decision == decisions[0]},
    )
    return await answer(
        waiting.runtime, outcome, waiting.tenant, waiting.context, waiting.browser_state
    )
