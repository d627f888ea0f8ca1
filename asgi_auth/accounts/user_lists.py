"""Reading of users: by address, in pages, and all that is stored about one."""

import base64
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec

from asgi_auth._typed_text import without_margins
from asgi_auth.accounts.user_base import UserBase, found
from asgi_auth.errors import UserNotFoundError, ValidationError
from asgi_auth.model.records import Client, Record, Session, Status, User
from asgi_auth.model.stored import Stored
from asgi_auth.sources.kinds import check_kind
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.json_value import INT64
from asgi_auth.validation.reasons import Reason

#: The most users of a page, and the fewest and the most characters to search for.
MAX_PAGE, MIN_SEARCH, MAX_SEARCH = 1000, 2, 254


class UserPage(Record, frozen=True, kw_only=True):
    """One page of users. `next` is the `after` of the next page; None after the last one."""

    users: list[User]
    next: str | None = None


class UserLists(UserBase):
    """The part of `auth.users` that reads."""

    async def by_email(self, email: str) -> User:
        """Read a user by address, in any spelling of it."""
        await self._parts.start()
        canonical = canonical_or_none(email)
        return found(await self._storage.user_by_email(canonical) if canonical else None)

    async def list(
        self,
        *,
        status: Status | None = None,
        role: str | None = None,
        after: str | None = None,
        limit: int = 100,
        newest: bool = False,
    ) -> UserPage:
        """List users in the order of their creation, or with `newest` in the reverse order, page by page.

        Every page takes the same work, however many users come before it. Raises ValidationError for a `limit` beyond
        1000 and for an `after` that is not the `next` of a page.
        """
        return await self._page("", status, role, after, limit, newest=newest)

    async def search(
        self,
        text: str,
        *,
        status: Status | None = None,
        role: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> UserPage:
        """List the users whose addresses begin with a text, in any spelling, in the order of the addresses.

        No character has a special meaning. Raises ValidationError also for a text of less than 2 characters.
        """
        return await self._page(prefix_of(text), status, role, after, limit)

    async def count(self, *, search: str | None = None, status: Status | None = None, role: str | None = None) -> int:
        """Count the users that `list` returns in all its pages, or `search` for a text. Reads all of them once."""
        check_kind("status", status, Status | None)
        prefix = "" if search is None else prefix_of(search)
        await self._parts.start()
        return await self._storage.count_users(prefix=prefix, status=status, role=_checked(role))

    async def sessions(self, user_id: str) -> Sequence[Session]:
        """Return the live sessions of a user, the newest first."""
        await self.get(user_id)
        idle_since = self._now - self._parts.settings.session_idle
        return await self._storage.sessions(user_id, self._now, idle_since)

    async def factors(self, user_id: str) -> Sequence[str]:
        """Return the names of the second factors of a user, such as `otp`."""
        return await self._parts.factors.of(await self.get(user_id), Client())

    async def export(self, user_id: str, *, events: bool = True) -> Stored:
        """Return everything that is stored about a user, without secrets, as the user gets it from `GET /me/export`."""
        await self._parts.start()
        stored = await self._storage.stored(user_id, events=events)
        if stored is None:
            raise UserNotFoundError
        named = {type(each).__name__: await each.exported(stored.user) for each in self._parts.features}
        return msgspec.structs.replace(
            stored,
            user=msgspec.structs.replace(stored.user, data=stored.user.own_data),
            features={name: kept for name, kept in named.items() if kept},
        )

    async def _page(
        self,
        prefix: str,
        status: Status | None,
        role: str | None,
        after: str | None,
        limit: int,
        *,
        newest: bool = False,
    ) -> UserPage:
        check_kind("status", status, Status | None)
        check_kind("limit", limit, int)
        if not 1 <= limit <= MAX_PAGE:
            raise ValidationError({"limit": [Reason("invalid", f"Expected 1 to {MAX_PAGE}.")]})
        last = None if after is None else _user_at(after, is_search=bool(prefix))
        await self._parts.start()
        users = await self._storage.users(
            prefix=prefix, status=status, role=_checked(role), after=last, limit=limit + 1, newest=newest
        )
        shown = users[:limit]
        return UserPage(users=shown, next=_position(shown[-1], is_search=bool(prefix)) if len(users) > limit else None)


def prefix_of(text: str) -> str:
    """Return the canonical form of the beginning of an address. Raises ValidationError."""
    text = without_margins(text)
    if len(text) > MAX_SEARCH:
        raise ValidationError({"search": [Reason("too_long", count=MAX_SEARCH)]})
    _check_text("search", text)
    whole = canonical_or_none(text) if "@" in text else None
    prefix = whole or unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    if len(prefix) < MIN_SEARCH:
        raise ValidationError({"search": [Reason("too_short", count=MIN_SEARCH)]})
    return prefix


def _checked(role: str | None) -> str | None:
    if role is not None:
        _check_text("role", role)
    return role


def _check_text(field: str, text: str) -> None:
    """Raise ValidationError for text that no database stores."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValidationError({field: [Reason("characters")]})


def _position(user: User, *, is_search: bool) -> str:
    """Return the text that stands for the place of a user in its list."""
    place = [user.email_canonical] if is_search else [user.created_at, user.id]
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _user_at(position: str, *, is_search: bool) -> User:
    """Return a user at a place in a list. Raises ValidationError."""
    kind: Any = tuple[str] if is_search else tuple[int, str]
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(position + "=" * (-len(position) % 4)), type=kind)
    except ValueError:
        place = ()
    created_at, text = (0, *place)[-2:] if place else (0, "\0")
    if "\0" in text or not -INT64 <= created_at < INT64:
        raise ValidationError({"after": [Reason("invalid")]})
    return User(id=text, email="", email_canonical=text, created_at=created_at, updated_at=0)
