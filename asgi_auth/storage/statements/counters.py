"""Statements about counters.

A counter is live if its end is in the future, but not more than `MAX_SKEW` seconds further away than its window.
"""

from functools import cache

COUNT = """
    INSERT INTO {counters} AS c (key, count, free_at, expires_at) VALUES (:key, 1, 0, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN c.expires_at > :now AND c.expires_at - {max_skew} <= :expires_at THEN c.count + 1 ELSE 1 END,
        expires_at = CASE WHEN c.expires_at > :now AND c.expires_at - {max_skew} <= :expires_at
            THEN c.expires_at ELSE :expires_at END
    RETURNING *
"""


@cache
def count_all(number: int) -> str:
    """Return a statement that counts a number of keys at once, or none of them if one is full."""
    rows = (f"SELECT CAST(:key{i} AS TEXT) AS key, CAST(:end{i} AS BIGINT) AS expires_at" for i in range(number))
    live = "c.expires_at > :now AND c.expires_at - {max_skew} <= excluded.expires_at"
    full = (
        f"(f.key = :key{i} AND f.count >= :most{i} AND f.expires_at - {{max_skew}} <= :end{i})" for i in range(number)
    )
    return f"""
        INSERT INTO {{counters}} AS c (key, count, free_at, expires_at)
        SELECT r.key, 1, 0, r.expires_at FROM ({" UNION ALL ".join(rows)}) AS r
        WHERE NOT EXISTS (SELECT 1 FROM {{counters}} AS f WHERE f.expires_at > :now AND ({" OR ".join(full)}))
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN {live} THEN c.count + 1 ELSE 1 END,
            expires_at = CASE WHEN {live} THEN c.expires_at ELSE excluded.expires_at END
        RETURNING key, count, expires_at
    """  # noqa: S608 (only indexes are interpolated)


@cache
def counters(number: int) -> str:
    """Return a query for a number of counters."""
    keys = ", ".join(f":key{i}" for i in range(number))
    return f"SELECT key, count, expires_at FROM {{counters}} WHERE expires_at > :now AND key IN ({keys})"  # noqa: S608


# From attempt number `after` on, each attempt doubles the pause. No row is returned during a pause.
COUNT_WITH_BACKOFF = """
    INSERT INTO {counters} AS c (key, count, free_at, expires_at) VALUES (:key, 1, :first, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN c.expires_at > :now AND c.expires_at - {max_skew} <= :expires_at THEN c.count + 1 ELSE 1 END,
        free_at = CASE
            WHEN c.expires_at <= :now OR c.expires_at - {max_skew} > :expires_at THEN :first
            WHEN c.count + 1 < :after THEN :now
            WHEN c.count + 1 - :after < :doublings
                THEN :now + (CAST(:pause AS BIGINT) << CAST(c.count + 1 - :after AS INTEGER))
            ELSE :now + :longest END,
        expires_at = :expires_at
    WHERE c.free_at <= :now OR c.expires_at - {max_skew} > :expires_at
    RETURNING *
"""
COUNTER = "SELECT * FROM {counters} WHERE key = :key AND expires_at > :now"
CLEAR_COUNTER = "DELETE FROM {counters} WHERE key = :key RETURNING key"
PURGE_COUNTERS = """
    DELETE FROM {counters} WHERE key IN (SELECT key FROM {counters} WHERE expires_at < :before LIMIT :batch)
    RETURNING key
"""
