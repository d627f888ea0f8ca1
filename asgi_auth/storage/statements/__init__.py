"""Every SQL statement, for both PostgreSQL and SQLite: `:name` is a value, `{name}` an identifier from `Names`.

`{for_update}` and the like are row locks in PostgreSQL, and empty in SQLite. Statements that change rows return some
column of each changed row, so that callers can count them.
"""

from asgi_auth.storage.statements.counters import COUNTER
from asgi_auth.storage.statements.credentials import CREDENTIAL, FIND_CREDENTIAL, USER_WITH_CREDENTIAL
from asgi_auth.storage.statements.networks import NETWORK
from asgi_auth.storage.statements.schema import PING
from asgi_auth.storage.statements.sessions import ACCESS, SESSION
from asgi_auth.storage.statements.users import USER, USER_BY_EMAIL

#: Queries that read one row by a unique index: SQLite answers them in microseconds.
BY_KEY: frozenset[str] = frozenset(
    {USER, USER_BY_EMAIL, USER_WITH_CREDENTIAL, FIND_CREDENTIAL, CREDENTIAL, SESSION, ACCESS, COUNTER, NETWORK, PING}
)
