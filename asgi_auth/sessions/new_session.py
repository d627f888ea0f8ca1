"""The session of a login, before it is stored."""

from asgi_auth.model.records import Client, Session, User, new_id


def new_session(user: User, amr: tuple[str, ...], client: Client, at: float, seconds: int) -> Session:
    """Return a session of a user that begins at a time and lives for some seconds, with its authentication methods."""
    now = int(at)
    return Session(
        id=new_id(at),
        user_id=user.id,
        created_at=now,
        last_used_at=now,
        rotated_at=now,
        expires_at=now + seconds,
        auth_time=now,
        amr=amr,
        user_agent=client.user_agent,
        address=client.address,
    )
