"""Response headers of every page.

There is no `form-action`: browsers apply it to redirects after a form too, and the answer to
a login or a consent is a redirect to the application. There is no opener policy either, since
applications open these pages in popups and wait for them.
"""

from typing import Literal, assert_never

PageKind = Literal["page", "form_post"]

_POLICY: tuple[str, ...] = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' https: data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


def security_headers(kind: PageKind) -> dict[str, str]:
    match kind:
        case "page":
            policy = _POLICY
        case "form_post":
            policy = (*_POLICY, "script-src 'self'")
        case _:
            assert_never(kind)
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
