"""The feed of changes over SQL, page by page."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.revocations import Beat, Changes, Heartbeat
from asgi_auth.storage.rows import Row, roles_of
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import feed

#: Rows of one page.
PAGE = 2000
#: A number before those of all rows.
FIRST = -(2**62)


class Page(msgspec.Struct, frozen=True):
    """A position between two pages: where the reading began, where it ends, and the last row that was read.

    `base` is the position after which rows are read, empty for those since a time. `target` is the position of the
    reader after the last page. `place` is the id of the transaction of the last row, or its time without a `base`.
    """

    base: str
    target: str
    place: str
    number: int

    @property
    def text(self) -> str:
        """The position as a text."""
        return f"|{self.base}|{self.target}|{self.place}.{self.number}"

    @classmethod
    def of(cls, position: str) -> "Page | None":
        """Read a position between two pages; return None for any other position."""
        if not position.startswith("|"):
            return None
        base, _, rest = position[1:].partition("|")
        target, _, last = rest.rpartition("|")
        place, _, number = last.partition(".")
        return cls(base, target, place, int(number))


class SQLFeed(Runner):
    """The methods of `Storage` for the feed of changes."""

    async def changes_since(self, since: int, after: str = "") -> Changes:
        """Read the position first: changes that are committed meanwhile are read again."""
        page = Page.of(after)
        [head] = await self.run(feed.POSITION[self.dialect], {"after": page.target if page else after}, read=True)
        if not head["is_known"]:
            page, base = None, ""
        else:
            base = page.base if page else after
        found = await self._rows(base, since, page)
        rows = _of_one_page(found)
        # A page that is full is followed by another one.
        more = len(found) == PAGE or len(rows) < len(found)
        position = head["position"] if page is None else page.target
        if more:
            position = self._between(base, position, rows[-1])
        heartbeat = None
        if head["server"] is not None:
            heartbeat = Heartbeat(server=head["server"], age=head["age"], proven=head["proven"])
        is_new = bool(after) and not head["is_known"]
        return await self._changes(
            rows, position=position, more=more, is_new=is_new, now=head["now"], heartbeat=heartbeat
        )

    async def beat(self, after: float, proven: Beat | None = None) -> Beat | None:
        """Update the one row of the heartbeat. SQLite has none: a file has one writer, and no replicas."""
        if self.dialect == "sqlite":
            return None
        values = {"after": after, "proven": proven.at if proven else 0.0, "server": proven.server if proven else ""}

        async def write(storage: "SQLFeed") -> Sequence[Row]:
            await storage.run(feed.LIMITS_OF_BEAT[self.dialect], {})
            return await storage.run(feed.BEAT[self.dialect], values)

        try:
            rows = await self._atomically(write)
        except StorageUnavailableError:
            [state] = await self.run(feed.CANNOT_BEAT[self.dialect], {}, read=True)
            if state["reads_only"]:
                return None
            raise
        return Beat(server=rows[0]["server"], at=rows[0]["at"]) if rows else None

    async def end_again(self, session_ids: Collection[str], now: int) -> list[str]:
        """End the sessions that are live in one statement, and add them to the feed."""
        ids = msgspec.json.encode(list(session_ids)).decode() if self.dialect == "sqlite" else ",".join(session_ids)

        async def end(storage: "SQLFeed") -> list[str]:
            ended = [row["id"] for row in await storage.run(feed.END_AGAIN[self.dialect], {"ids": ids, "now": now})]
            if ended:
                await storage.run(feed.ADD_AGAIN[self.dialect], {"ids": ids, "now": now})
                await storage.announce()
            return ended

        return await self._atomically(end)

    async def _rows(self, base: str, since: int, page: Page | None) -> Sequence[Row]:
        """Read one page: the rows after the position `base`, or since a time, and after the page before."""
        values: dict[str, object] = {"page": PAGE}
        if not base:
            values |= {"at": int(page.place), "number": page.number} if page else {"at": since, "number": FIRST}
            return await self.run(feed.CHANGES_SINCE[self.dialect], values, read=True)
        if self.dialect == "sqlite":
            values["number"] = int(base.partition("/")[0])
        else:
            _, seen, unseen = base.split("/")
            last, number = (int(page.place), page.number) if page else (0, FIRST)
            start = (last, number) if last >= int(seen) else (int(seen), FIRST)
            values |= {"open": unseen, "last": str(last), "number": number}
            values |= {"seen": str(start[0]), "seen_number": start[1]}
        return await self.run(feed.CHANGES_AFTER[self.dialect], values, read=True)

    def _between(self, base: str, target: str, last: Row) -> str:
        """Return the position after a page. Writers of SQLite are serialized, so that a row is a position there."""
        if not base:
            return Page(base, target, str(last["at"]), last["number"]).text
        if self.dialect == "sqlite":
            return f"{last['number']}/{last['session_id'] or last['user_id'] or last['up_to']}/{last['at']}"
        return Page(base, target, last["place"], last["number"]).text

    async def _changes(self, rows: Sequence[Row], **head: Any) -> Changes:
        rows = sorted(rows, key=itemgetter("number"))
        # One entry for each user, of the last change.
        users: Mapping[str, Row] = {str(row["user_id"]): row for row in rows if row["roles"] is not None}
        inactive = [user_id for user_id, row in users.items() if row["left_over"] is not None]
        left_over = [await self.run(feed.LEFT_OVER, {"user_id": user_id}, read=True) for user_id in inactive]
        lowered = [user_id for user_id, row in users.items() if row["lowered"] is not None]
        without = [await self.run(feed.LOWERED, {"user_id": user_id}, read=True) for user_id in lowered]
        ended = [(row["session_id"], row["at"]) for row in rows if row["session_id"] is not None]
        several = [str(row["number"]) for row in rows if row["ended"] is not None]
        if several:
            numbers = f"[{','.join(several)}]" if self.dialect == "sqlite" else ",".join(several)
            found = await self.run(feed.ENDED[self.dialect], {"numbers": numbers}, read=True)
            ended += [(row["id"], row["at"]) for row in found]
        return Changes(
            sessions=ended + [(row["id"], row["last_used_at"]) for found in left_over for row in found],
            users=[(user_id, roles_of(row["roles"]), row["at"]) for user_id, row in users.items()],
            inactive=inactive,
            lowered=[row["id"] for found in without for row in found],
            up_to=max((row["up_to"] for row in rows if row["up_to"] is not None), default=""),
            **head,
        )


def _of_one_page(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first rows: one at least, and no more than tell of the sessions of one page."""
    number = 0
    for place, row in enumerate(rows):
        number += row["ended"] or 1
        if number > PAGE and place:
            return rows[:place]
    return rows
