"""`/u/organization`: which organization the sign-in is for, where the application did not say."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

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
from tenantry.oauth import authorize, person
from tenantry.oauth.errors import OAuthError
from tenantry.pages import OrganizationPromptView, organization_prompt_page
from tenantry.rules.interaction import Step
from tenantry.store import organizations

_UNKNOWN = "There is no organization of this name."


async def organization_form(request: Request) -> Response:
    """`GET /u/organization`."""
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    step = await waiting.runtime.store.read(
        waiting.tenant.id,
        waiting.context.caller(),
        authorize.next_page,
        waiting.subject,
        waiting.found,
    )
    return _page(waiting) if step is Step.ORGANIZATION else await resume(waiting)


async def organization(request: Request) -> Response:
    """`POST /u/organization`."""
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    posted = await posted_form(request, waiting)
    if isinstance(posted, Response):
        return posted
    try:
        name = (posted.get("organization") or "").strip()
    except OAuthError as error:
        return refused(request, waiting.tenant, error.description)
    # People know the name; what they type counts whatever its case.
    found = await waiting.runtime.configuration.get(
        waiting.tenant.id, organizations.find_by_name, name.lower()
    )
    if found is None:
        return _page(waiting, name, _UNKNOWN, 400)
    outcome = await waiting.runtime.store.write(
        waiting.tenant.id,
        waiting.context.caller(),
        person.after_organization,
        waiting.subject,
        waiting.found,
        waiting.handle,
        found,
    )
    return await answer(
        waiting.runtime, outcome, waiting.tenant, waiting.context, waiting.browser_state
    )


def _page(
    waiting: Waiting, name: str = "", error: str | None = None, status: int = 200
) -> Response:
    view = OrganizationPromptView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        waiting.action("organization"),
        waiting.form_token(),
        name,
        error,
    )
    return page(organization_prompt_page(view), status)
