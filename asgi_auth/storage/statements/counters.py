"""Statements about counters.

The column `count` holds wrong guesses, or calls, and a multiple of `FLIGHT` for each guess in flight. Windows keep the
time of the last guess in `free_at`. A counter is live if its end is in the future, but not more than `MAX_SKEW` seconds
further away than its window.
"""

from functools import cache

#: One guess in flight: more than any number of wrong ones.
FLIGHT = 2**32

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
    rows = (
        f"SELECT CAST(:key{i} AS TEXT) AS key, CAST(:end{i} AS BIGINT) AS expires_at, CAST(:unit{i} AS BIGINT) AS unit"
        for i in range(number)
    )
    taken = f"f.count % {FLIGHT} + CASE WHEN f.free_at > :stale THEN f.count / {FLIGHT} ELSE 0 END"
    live = "c.expires_at > :now AND c.expires_at - {max_skew} <= excluded.expires_at"
    full = (
        f"(f.key = :key{i} AND {taken} >= :most{i} AND f.expires_at - {{max_skew}} <= :end{i})" for i in range(number)
    )
    return f"""
        INSERT INTO {{counters}} AS c (key, count, free_at, expires_at)
        SELECT r.key, r.unit, CASE WHEN r.unit > 1 THEN CAST(:now AS BIGINT) ELSE 0 END, r.expires_at
        FROM ({" UNION ALL ".join(rows)}) AS r
        WHERE NOT EXISTS (SELECT 1 FROM {{counters}} AS f WHERE f.expires_at > :now AND ({" OR ".join(full)}))
        ON CONFLICT (key) DO UPDATE SET
            count = excluded.count + CASE WHEN NOT ({live}) THEN 0
                WHEN c.free_at <= :stale THEN c.count % {FLIGHT} ELSE c.count END,
            free_at = excluded.free_at,
            expires_at = CASE WHEN {live} THEN c.expires_at ELSE excluded.expires_at END
        RETURNING key, count, free_at, expires_at
    """  # noqa: S608 (only indexes and a constant are interpolated)


@cache
def counters(number: int) -> str:
    """Return a query for a number of counters."""
    keys = ", ".join(f":key{i}" for i in range(number))
    return f"SELECT key, count, free_at, expires_at FROM {{counters}} WHERE expires_at > :now AND key IN ({keys})"  # noqa: S608


@cache
def settle(number: int) -> str:
    """Return a statement that ends one guess in flight in each of a number of counters, and the empty counters."""
    keys = ", ".join(f":key{i}" for i in range(number))
    left = f"CASE WHEN count >= {FLIGHT} THEN count - {FLIGHT} ELSE count END + :wrong"
    return f"""
        UPDATE {{counters}} SET count = {left}, expires_at = CASE WHEN {left} = 0 THEN :now ELSE expires_at END
        WHERE expires_at > :now AND key IN ({keys}) RETURNING key
    """  # noqa: S608 (only indexes and a constant are interpolated)


#: A counter that has expired, or that a clock has counted that was ahead.
DEAD = "(c.expires_at <= :now OR c.expires_at - {max_skew} > :expires_at)"
# No row is returned during a pause, and while too many guesses are in flight.
BEGIN_GUESS = f"""
    INSERT INTO {{counters}} AS c (key, count, free_at, expires_at) VALUES (:key, {FLIGHT}, 0, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        count = {FLIGHT} + CASE WHEN {DEAD} THEN 0
            WHEN c.expires_at <= :stale THEN c.count % {FLIGHT} ELSE c.count END,
        free_at = CASE WHEN {DEAD} THEN 0 ELSE c.free_at END,
        expires_at = :expires_at
    WHERE {DEAD} OR (c.free_at <= :now AND (c.expires_at <= :stale OR c.count / {FLIGHT}
        < CASE WHEN c.count % {FLIGHT} < :after THEN :after - c.count % {FLIGHT} ELSE 1 END))
    RETURNING *
"""  # noqa: S608 (only a constant is interpolated)
# From wrong guess number `after` on, each doubles the pause.
WRONG_GUESS = f"""
    INSERT INTO {{counters}} AS c (key, count, free_at, expires_at) VALUES (:key, 1, :first, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        count = 1 + CASE WHEN {DEAD} THEN 0
            WHEN c.count >= {FLIGHT} THEN c.count - {FLIGHT} ELSE c.count END,
        free_at = CASE
            WHEN {DEAD} THEN :first
            WHEN c.count % {FLIGHT} + 1 < :after THEN 0
            WHEN c.count % {FLIGHT} + 1 - :after < :doublings
                THEN :now + (CAST(:pause AS BIGINT) << CAST(c.count % {FLIGHT} + 1 - :after AS INTEGER))
            ELSE :now + :longest END,
        expires_at = :expires_at
    RETURNING count % {FLIGHT} AS number
"""  # noqa: S608 (only a constant is interpolated)
OTHER_GUESS = f"""
    UPDATE {{counters}} SET
        count = CASE WHEN count >= {FLIGHT} THEN count - {FLIGHT} ELSE count END
            - CASE WHEN count % {FLIGHT} < :forgiven THEN count % {FLIGHT} ELSE :forgiven END,
        free_at = CASE WHEN count % {FLIGHT} - :forgiven < :after THEN 0 ELSE free_at END
    WHERE key = :key AND expires_at > :now RETURNING key
"""  # noqa: S608 (only a constant is interpolated)
COUNTER = "SELECT * FROM {counters} WHERE key = :key AND expires_at > :now"
CLEAR_COUNTER = "DELETE FROM {counters} WHERE key = :key RETURNING key"
PURGE_COUNTERS = """
    DELETE FROM {counters} WHERE key IN (SELECT key FROM {counters} WHERE expires_at < :before LIMIT :batch)
    RETURNING key
"""
