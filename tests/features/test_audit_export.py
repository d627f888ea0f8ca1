"""Audit records as files: all records of the filters, page by page, in cells that no spreadsheet runs."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Admin
from asgi_auth.events import audit_export
from asgi_auth.feature import new_id
from asgi_auth.model.records import AuditRecord
from asgi_auth.storage import Storage
from tests.features.administration import World, administered
from tests.storage.conftest import FILES_AND_SERVERS

#: Beginnings of formulas, as clients would send them; each one as it may stand in a cell.
FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201",
    "x;=1", "x\t+1", "x\n=1", '"=1', "';=1", "x; =1",
]  # fmt: skip
#: What begins a formula: at the beginning of a cell, also of one in countries where semicolons separate cells.
LIVE = re.compile(r"(?:^|[;\t\r\n])\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


async def store(storage: Storage, number: int, **values: Any) -> None:
    """Store records, each a second after the one before."""
    await storage.add_audit_records(
        [
            AuditRecord(**{"id": new_id(at), "name": "login", "outcome": "success", "code": "", "at": at, **values})
            for at in range(1000, 1000 + number)
        ]
    )


async def exported(world: World, query: str, by: str = "reader") -> list[dict[str, Any]]:
    """Return the records of an export as lines of JSON."""
    answer = await world.call(by, "GET", f"/admin/audit?format=jsonl{query}")
    assert (answer.status, answer.header("content-type")) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.body.splitlines()]


def rows_of(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode(), newline="")))


async def test_all_pages_of_all_records_are_exported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 7)
    async with administered() as world:
        await store(world.auth.storage, 30)

        found = await exported(world, "&until=1030")
        answer = await world.call("reader", "GET", "/admin/audit?until=1030")

        assert [record["at"] for record in found] == list(range(1029, 999, -1))
        assert answer.header("content-type") == "text/csv; charset=utf-8"
        assert answer.header("content-disposition") == 'attachment; filename="audit.csv"'
        assert answer.header("cache-control") == "no-store"
        head, *rows = rows_of(answer.body)
        assert head == list(audit_export.COLUMNS)
        assert [row[0] for row in rows] == [record["id"] for record in found]
        assert rows[0][1] == "1970-01-01T00:17:09Z"


async def test_a_page_is_all_that_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are as large as pages, and each page is read when the one before was sent."""
    monkeypatch.setattr(audit_export, "PAGE", 10)
    async with administered() as world:
        await store(world.auth.storage, 35)
        filters = audit_export.Filters(until=1035)

        parts = [part.count(b"\n") async for part in audit_export.audit_file(world.auth.storage, "jsonl", filters)]

        assert parts == [10, 10, 10, 5]


@pytest.mark.parametrize("text", FORMULAS)
async def test_no_cell_is_a_formula(text: str) -> None:
    async with administered() as world:
        data = {"reason": text, text: [text]}
        await store(world.auth.storage, 1, user_agent=text, address=text, request_id=text, code=text, data=data)

        answer = await world.call("reader", "GET", "/admin/audit?until=1001")
        [record] = await exported(world, "&until=1001")

        [_, row] = rows_of(answer.body)
        assert [cell for cell in row if LIVE.search(cell)] == []
        # Lines of JSON have the values as they are.
        assert {record[name] for name in ("user_agent", "address", "request_id", "code")} == {text}
        assert record["data"] == data


async def test_harmless_cells_are_as_they_are() -> None:
    async with administered() as world:
        agent = 'Mozilla/5.0 (X11; Linux x86_64; "quoted", a-b=c)'
        await store(world.auth.storage, 1, user_agent=agent, data={"n": -1})

        [head, row] = rows_of((await world.call("reader", "GET", "/admin/audit?until=1001")).body)

        cells = dict(zip(head, row, strict=True))
        assert (cells["user_agent"], cells["data"], cells["actor"]) == (agent, '{"n":-1}', "")


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_the_filters_are_those_of_the_list(driver: str, fresh: Callable[[str], str]) -> None:
    async with administered(fresh(driver)) as world:
        user, owner = world.users["user"].id, world.users["owner"].id
        for role in ("editor", "reader"):
            world.clock.move(10)
            await world.call("owner", "POST", "/users/{user}/roles", roles=[role])
        now = int(world.clock())

        about = await exported(world, f"&user={user}")
        changes = await exported(world, "&name=role_change")

        assert {record["user"] for record in about} == {user}
        assert [(record["at"], record["actor"]) for record in changes] == [(now, owner), (now - 10, owner)]
        assert await exported(world, f"&name=role_change&since={now}") == changes[:1]
        assert await exported(world, f"&name=role_change&until={now}") == changes[1:]
        assert await exported(world, "&name=role%25") == await exported(world, "&name=role_chang_") == []
        listed = (await world.call("reader", "GET", "/users/{user}/events?limit=100")).json["events"]
        assert [record["id"] for record in about] == [event["id"] for event in listed]
        assert {record["name"] for record in await exported(world, "")} > {"login", "role_change"}


async def test_records_of_deleted_users_stay() -> None:
    async with administered() as world:
        user = world.users["user"].id
        await world.call("owner", "DELETE", "/users/{user}")

        assert "account_delete" in {record["name"] for record in await exported(world, f"&user={user}")}


@pytest.mark.parametrize(
    ("query", "status"),
    [("format=xlsx", 422), ("since=x", 422), ("since=-1", 422), ("user=x", 404), ("user=%00", 422), ("other=1", 422)],
)
async def test_a_query_that_makes_no_sense_is_refused(query: str, status: int) -> None:
    async with administered() as world:
        assert (await world.call("reader", "GET", f"/admin/audit?{query}")).status == status


async def test_head_has_the_headers_only() -> None:
    async with administered() as world:
        answer = await world.call("reader", "HEAD", "/admin/audit")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.header("content-disposition") == 'attachment; filename="audit.csv"'


async def test_the_file_can_be_written_in_process() -> None:
    async with administered() as world:
        identity = await world.auth.authenticate((await world.pair("reader")).access_token)
        download = await world.auth[Admin].export_audit(format="jsonl", identity=identity)

        lines = b"".join([part async for part in download.parts]).splitlines()
        assert "login" in {json.loads(line)["name"] for line in lines}
