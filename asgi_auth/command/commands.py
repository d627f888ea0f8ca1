"""All commands, in the order of the help. A new subject is a module with `COMMANDS`, and a line here."""

from asgi_auth.command import (
    audit,
    client,
    completion,
    configuration,
    inviting,
    keys,
    moving,
    secret,
    sessions,
    tables,
    users,
)
from asgi_auth.command.command import Command

COMMANDS: tuple[Command, ...] = (
    *tables.COMMANDS,
    *users.COMMANDS,
    *inviting.COMMANDS,
    *sessions.COMMANDS,
    *audit.COMMANDS,
    *moving.COMMANDS,
    *secret.COMMANDS,
    *keys.COMMANDS,
    *configuration.COMMANDS,
    *client.COMMANDS,
    *completion.COMMANDS,
)
