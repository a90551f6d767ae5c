"""How a tenant words its mail, as the schema shows it."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core import emails as core
from tenantry.core.emails import EmailTemplateName
from tenantry.management.types.common import described, publish
from tenantry.management.types.enums import describe_enum

describe_enum(
    EmailTemplateName,
    "A message that people get by email.",
    {
        EmailTemplateName.ASYNC_APPROVAL: (
            "An application asks a user by CIBA. Knows `application.name`, `tenant.name`, "
            "`user.name`, `user.email`, `url`, `binding_message` (empty where there is none) and "
            "`expires_at`."
        ),
    },
)

ABOUT: Mapping[str, str] = {
    "template": "The message that this is the wording of.",
    "subject": "The subject in Liquid, one line. 1 to 200 characters.",
    "html": ("The HTML part in Liquid; what the message tells is escaped. 1 to 16384 characters."),
    "text": "The part without HTML, in Liquid. 1 to 16384 characters.",
}
TEMPLATES_ABOUT = (
    "The tenant's own wording of messages, replaced as a whole: at most one template for each. "
    "In Liquid, with the tags `if`, `unless`, `case` and `comment` and filters such as `default`, "
    "`escape` and `truncate`; a template is tried before it is stored. Default none: the words "
    "of this server."
)


@strawberry.type(description="A tenant's own wording of a message, in Liquid.")
class EmailTemplate:
    template: EmailTemplateName = described(ABOUT, "template")
    subject: str = described(ABOUT, "subject")
    html: str = described(ABOUT, "html")
    text: str = described(ABOUT, "text")

    @classmethod
    def of(cls, facts: core.EmailTemplate) -> EmailTemplate:
        return publish(cls, facts)


@strawberry.input(description="A tenant's own wording of a message, in Liquid.")
class EmailTemplateInput:
    template: EmailTemplateName = described(ABOUT, "template")
    subject: str = described(ABOUT, "subject")
    html: str = described(ABOUT, "html")
    text: str = described(ABOUT, "text")

    def facts(self) -> core.EmailTemplate:
        return core.EmailTemplate(
            template=self.template, subject=self.subject, html=self.html, text=self.text
        )
