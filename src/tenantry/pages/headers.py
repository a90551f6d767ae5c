"""Response headers of every page.

There is no `form-action`: browsers apply it to redirects after a form too, and the answer to
a login or a consent is a redirect to the application. There is no opener policy either, since
applications open these pages in popups and wait for them.
"""

from typing import Literal, assert_never

PageKind = Literal["page", "form_post", "web_message"]

_POLICY: tuple[str, ...] = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' https: data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


def security_headers(kind: PageKind, framed_by: str = "") -> dict[str, str]:
    """`framed_by` is the one origin that may frame a page of the kind `web_message`."""
    match kind:
        case "page":
            policy = _POLICY
        case "form_post":
            policy = (*_POLICY, "script-src 'self'")
        case "web_message":
            ancestors = f"frame-ancestors {framed_by}" if framed_by else "frame-ancestors 'none'"
            policy = ("default-src 'none'", "base-uri 'none'", ancestors, "script-src 'self'")
        case _:
            assert_never(kind)
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    if kind == "web_message":
        # It knows no single origin, and would win over `frame-ancestors` in no browser.
        del headers["X-Frame-Options"]
    return headers
