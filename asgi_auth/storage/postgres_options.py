"""The options of PostgreSQL URLs, by what is done with them.

asyncpg sends every option that it does not know to the server, which refuses the connection. So each option is passed
on, translated (`postgres_url`), ignored with a reason in the log, or a ValueError.
"""

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: The options of libpq that asyncpg knows.
KNOWN = frozenset(
    {
        "host",
        "port",
        "dbname",
        "database",
        "user",
        "password",
        "passfile",
        "service",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "sslpassword",
        "sslnegotiation",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
    }
)
#: Settings of a session that the server knows. Names with a dot are the host's own. Others can be set by `options`.
SESSION = frozenset(
    {
        "application_name",
        "options",
        "search_path",
        "role",
        "timezone",
        "statement_timeout",
        "lock_timeout",
        "idle_session_timeout",
        "idle_in_transaction_session_timeout",
        "transaction_timeout",
        "tcp_keepalives_idle",
        "tcp_keepalives_interval",
        "tcp_keepalives_count",
    }
)
BOUNDED = "every call is bounded by the timeout of the storage"
NO_GSS = "the connection is never encrypted by GSSAPI"
RACED = "all hosts are asked, the first ones a moment earlier"
#: Options without a counterpart: the reason, and the values that ask for nothing else; None is any value.
IGNORED: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "connect_timeout": (BOUNDED, None),
    "command_timeout": (BOUNDED, None),
    "socket_timeout": (BOUNDED, None),
    "pool_timeout": (BOUNDED, None),
    "tcp_user_timeout": (BOUNDED, None),
    "keepalives": (BOUNDED, None),
    "keepalives_idle": (BOUNDED, None),
    "keepalives_interval": (BOUNDED, None),
    "keepalives_count": (BOUNDED, None),
    "gssencmode": (NO_GSS, ("disable", "prefer")),
    "gssdelegation": (NO_GSS, ("0",)),
    "load_balance_hosts": (RACED, ("disable", "random")),
    "sslcompression": ("TLS is never compressed", ("0",)),
    "sslsni": ("the name of the host is always sent", ("1",)),
    "sslcertmode": ("a client certificate is sent when it is given", ("allow",)),
    "client_encoding": ("the connection is always UTF-8", ("utf8", "utf-8", "auto")),
    "min_protocol_version": ("the protocol is 3.0", ("3.0",)),
    "max_protocol_version": ("the protocol is 3.0", None),
    "min_size": ("connections are opened when they are needed", None),
    "channel_binding": ("asyncpg has no channel binding", ("disable", "prefer")),
}
CHOICES = {
    "sslmode": MODES,
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
    "sslnegotiation": ("postgres", "direct"),
}
