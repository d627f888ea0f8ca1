"""Statements for long pages of the feed: the ids of single ended sessions come as one text, so that each is no row."""

from asgi_auth.storage.statements import feed

#: The numbers of the rows in their order, as a text; in PostgreSQL the last one alone.
NUMBERS = {"postgresql": "(array_agg(number))[COUNT(*)]", "sqlite": "GROUP_CONCAT(number)"}
#: What a long page needs of its rows: they are sorted and copied.
COLUMNS = "number, session_id, at, ended"
JOINED = {"postgresql": "STRING_AGG", "sqlite": "GROUP_CONCAT"}


def _long(rows: str, place: str, dialect: str) -> str:
    """Return the statement for the sum of a page, with the present position as `feed.POSITION` has it.

    A subquery in order feeds the aggregates in this order.
    """
    joined, rows = JOINED[dialect], rows.replace(feed.ROW, COLUMNS)
    if dialect == "postgresql":
        # A limit that the planner does not know: else it may sort all rows for each page while it has no statistics.
        rows = rows.replace("LIMIT :page", "LIMIT (SELECT CAST(:page AS BIGINT))")
    return f"""
        SELECT head.*, page.*, {place} AS place
        FROM ({feed.POSITION[dialect]}) AS head CROSS JOIN (
            SELECT COUNT(*) AS rows, COUNT(session_id) AS singles, {joined}(session_id, '') AS ids,
                {NUMBERS[dialect]} AS number, MAX(at) AS at,
                {joined}(CAST(number AS TEXT), ',') FILTER (WHERE session_id IS NULL) AS others,
                CAST(SUM(COALESCE(ended, 1)) FILTER (WHERE session_id IS NULL) AS BIGINT) AS told
            FROM ({rows}) AS entry) AS page
    """  # noqa: S608 (a part of this package)


TRANSACTION = """
    (SELECT CAST(c.transaction_id AS TEXT) FROM {changes} AS c WHERE c.number = page.number)
"""
#: A page of the rows since a time, and one of those after a position.
LONG_SINCE = {dialect: _long(feed.rows_since(dialect), "CAST(page.at AS TEXT)", dialect) for dialect in feed.ROWS_AFTER}
LONG_AFTER = {
    dialect: _long(rows, TRANSACTION if dialect == "postgresql" else "'0'", dialect)
    for dialect, rows in feed.ROWS_AFTER.items()
}
#: The rows of a long page that are no single ended sessions.
OTHERS = {
    dialect: feed.with_users(f"SELECT {columns} FROM {{changes}} WHERE {which}", dialect)  # noqa: S608
    for dialect, columns, which in (
        (
            "postgresql",
            f"{feed.ROW}, transaction_id",
            "number = ANY (CAST(string_to_array(:numbers, ',') AS BIGINT[]))",
        ),
        ("sqlite", feed.ROW, "number IN (SELECT value FROM json_each(:numbers))"),
    )
}
