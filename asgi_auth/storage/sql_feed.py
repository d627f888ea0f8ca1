"""The feed of changes over SQL, page by page."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.revocations import Beat, Changes, Heartbeat
from asgi_auth.storage.feed_pages import Found, Page, of_one_page, packed
from asgi_auth.storage.rows import Row, roles_of
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import feed, long_pages

#: Rows of a page. Those after the first may be long.
PAGE = 2000
LONG_PAGE = 20_000
#: A number before those of all rows.
FIRST = -(2**62)


class SQLFeed(Runner):
    """The methods of `Storage` for the feed of changes."""

    async def changes_since(self, since: int, after: str = "") -> Changes:
        """Read the position first: changes that are committed meanwhile are read again."""
        page = Page.of(after)
        if page:
            # In the same statement: the next page is on its way while the process takes in this one.
            statement = (long_pages.LONG_AFTER if page.base else long_pages.LONG_SINCE)[self.dialect]
            [head] = await self._rows(statement, {"page": LONG_PAGE, "after": page.target}, page.base, since, page)
        else:
            [head] = await self.run(feed.POSITION[self.dialect], {"after": after}, read=True)
        if not head["is_known"]:
            page, base = None, ""
        else:
            base = page.base if page else after
        found = await self._long_page(head) if page else None
        if found is None:
            found = await self._page(base, since, page)
        position = page.target if page else head["position"]
        if found.last:
            position = Page(base, position, *found.last).text
        heartbeat = None
        if head["server"] is not None:
            heartbeat = Heartbeat(server=head["server"], age=head["age"], proven=head["proven"])
        is_new = bool(after) and not head["is_known"]
        told = await self._changes(found.rows, is_new=is_new, now=head["now"], heartbeat=heartbeat)
        return msgspec.structs.replace(told, position=position, more=found.last is not None, packed=found.packed)

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
        """End the sessions that are live in one statement, and add them and those without a row to the feed."""
        ids = msgspec.json.encode(list(session_ids)).decode() if self.dialect == "sqlite" else ",".join(session_ids)

        async def end(storage: "SQLFeed") -> list[str]:
            ended = [row["id"] for row in await storage.run(feed.END_AGAIN[self.dialect], {"ids": ids, "now": now})]
            values = {"ids": ids, "now": now, "expires_at": now + feed.KEPT}
            lost = await storage.run(feed.ADD_LOST[self.dialect], values)
            if ended:
                await storage.run(feed.ADD_AGAIN[self.dialect], {"ids": ids, "now": now})
            if ended or lost:
                await storage.announce()
            return ended

        return await self._atomically(end)

    async def _page(self, base: str, since: int, page: Page | None) -> Found:
        """Read the rows of one page, and what the database says of their users."""
        statement = (feed.CHANGES_AFTER if base else feed.CHANGES_SINCE)[self.dialect]
        found = await self._rows(statement, {"page": PAGE}, base, since, page)
        rows = of_one_page(found, PAGE)
        # A page that is full is followed by another one.
        if len(found) < PAGE and len(rows) == len(found):
            return Found(rows)
        return Found(rows, last=(str(rows[-1]["place"] if base else rows[-1]["at"]), rows[-1]["number"]))

    async def _long_page(self, whole: Row) -> Found | None:
        """Return what a long page tells, of which the ids of single sessions are no rows.

        Returns None if it cannot be packed: too much of it tells of something else, or an id is no UUID.
        """
        ids = packed(whole["ids"] or "", whole["singles"])
        if ids is None or (whole["told"] or 0) > PAGE:
            return None
        others: Sequence[Row] = ()
        if numbers := whole["others"]:
            values = {"numbers": f"[{numbers}]" if self.dialect == "sqlite" else numbers}
            others = await self.run(long_pages.OTHERS[self.dialect], values, read=True)
        if whole["rows"] < LONG_PAGE:
            return Found(others, ids)
        return Found(others, ids, (whole["place"], int(str(whole["number"]).rpartition(",")[2])))

    async def _rows(
        self, statement: str, values: dict[str, object], base: str, since: int, page: Page | None
    ) -> Sequence[Row]:
        """Run a statement about the rows after the position `base`, or since a time, and after the page before."""
        if not base:
            values |= {"at": int(page.place), "number": page.number} if page else {"at": since, "number": FIRST}
        elif self.dialect == "sqlite":
            values["number"] = page.number if page else int(base.partition("/")[0])
        else:
            _, seen, unseen = base.split("/")
            last, number = (int(page.place), page.number) if page else (0, FIRST)
            start = (last, number) if last >= int(seen) else (int(seen), FIRST)
            values |= {"open": unseen, "last": str(last), "number": number}
            values |= {"seen": str(start[0]), "seen_number": start[1]}
        return await self.run(statement, values, read=True)

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
