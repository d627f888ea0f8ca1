"""What a feature shows in a browser, as plain data: pages, their forms, and sections of the account page.

The feature `Pages` serves each of them exactly when its endpoint is served. Their texts have codes by their names:
`pages.<page>.title`, `pages.<endpoint>.button` of a form, `pages.said.<said>`, and `pages.link.<page>` of a link.
Forms, sections and links are for visitors with the permission of the endpoint, if it has one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: In place of a page: the target of `next`, else `after_login`.
ONWARD = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page, served at `path`, by default at the path of its endpoint.

    Its template is `<name>.html`, or else `page.html`, which shows the forms below each other. A path may have values,
    such as `/members/{id}`, which are fields of the endpoint.
    """

    name: str
    endpoint: str
    path: str | None = None
    login: bool = False
    """Whether only logged-in users see the page; others are redirected to the login page, and back."""
    carries: str = ""
    """A hidden field or a cookie, such as `pending`: a visitor with it sees the page without a login, others do not."""
    entrance: bool = False
    """Whether a logged-in user is redirected away from the page."""
    loads: bool = False
    """Whether the endpoint, which has to be a GET, is called; its answer is `data` in the template."""
    query: tuple[str, ...] = ()
    """The parameters of the page's URL that are fields of its endpoint, or of the endpoints of its sections."""
    links: tuple[str, ...] = ()
    """The pages that are linked below the forms."""
    linked_from: tuple[str, ...] = ()
    """The pages of other features that link to this one, after their own `links`."""
    focus: bool = True
    """Whether the first form gets the focus, as on a page for one purpose."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form: its endpoint, its page, and the page and the message that follow."""

    endpoint: str
    page: str
    after: str = ONWARD
    said: str = ""
    waits: str = ""
    """The page that follows instead when a mail with a code has been sent."""
    shows: bool = False
    """Whether the page of the form shows the answer, as `answer`, in place of a redirect: for values shown once.

    Other forms of the page get the `request` of the answer."""
    also: tuple[str, ...] = ()
    """Further pages with the form. A refusal shows the page again from which the form was sent."""
    by_script: tuple[str, ...] = ()
    """Fields that a script of the feature fills in. Such a form is hidden until the script shows it.

    Its element has the attribute `data-form`, the endpoint, and `data-failed`, the text `pages.<endpoint>.failed`."""
    shares: bool = False
    """Whether a script takes the other fields from the page's own form, which shows a refusal, too.

    The form itself is its button alone."""
    bare_on: tuple[str, ...] = ()
    """The pages on which the form lacks the fields that features add to its endpoint."""
    credential: str = ""
    """The kind of a credential that the form asks for, such as `totp`.

    Users that have none, in a session or in a login that waits for its second factor, do not see the form."""
    hidden: tuple[str, ...] = ()
    """Fields that no visitor types: they come from the answer, the error or the form before this one.

    Without a value for a required one, the form is not shown."""
    leaves_out: tuple[str, ...] = ()
    """Fields of the endpoint that the form does not send."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What inputs show at first, by field; `on` checks a box."""
    filled: bool = False
    """Whether the inputs show the members of the page's `data` at first, as in a form that changes them.

    Those of extra fields are in its member `data`."""
    asides: Mapping[str, str] = field(default_factory=dict)
    """Links beside the labels of inputs: by field, the page that the link leads to."""
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Attributes of input elements by field, beyond those that follow from the endpoint, such as `autocomplete`."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the account page, or of another page that shows sections, by the template `sections/<name>.html`."""

    name: str
    endpoint: str
    page: str = "account"
    """The page, which may be one of another feature. Without that page, the section is not shown."""
    order: int = 60
    """The place on the page, from low to high."""
    group: str = "profile"
    """The part of the account page that opens to show the section: `profile`, `ways`, `devices`, `data`, or a new one.

    A group stands at the place of its first section. A new one needs the text `pages.group.<group>`."""
    loads: bool = False
    """Whether the endpoint, which has to be a GET, is called; its answer is `data` in the template.

    In place of a refusal, such as of a login that is not fresh, the section says what is missing."""
