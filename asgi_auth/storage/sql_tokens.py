"""One-time tokens over SQL."""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from asgi_auth.model.records import OneTimeToken
from asgi_auth.storage.rows import columns, first, token_of
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import tokens


class SQLTokens(Runner):
    """The methods of `Storage` for one-time tokens."""

    async def add_token(self, token: OneTimeToken) -> bool:
        """Insert the token, or update the one with its id, in one statement."""
        values = columns(token)
        del values["attempts"], values["password_attempts"], values["used_at"]
        return bool(await self.run_unless_conflict(tokens.ADD_TOKEN, values | {"slot": secrets.randbits(62)}))

    async def void_earlier(self, token: OneTimeToken) -> None:
        """Mark the other tokens of the asker as used."""
        values = {name: getattr(token, name) for name in ("id", "purpose", "subject", "asker")}
        await self.run(tokens.VOID_EARLIER, values | {"now": token.created_at})

    async def find_token(self, purpose: str, digest: str, now: int) -> OneTimeToken | None:
        """Select the live token by its digest."""
        values = {"purpose": purpose, "digest": digest, "now": now}
        return first(token_of, await self.run(tokens.FIND_TOKEN, values, read=True))

    async def tokens(self, user_id: str, purpose: str, now: int) -> list[OneTimeToken]:
        """Select the live tokens by the index of users."""
        values = {"user_id": user_id, "purpose": purpose, "now": now}
        return [token_of(row) for row in await self.run(tokens.TOKENS, values, read=True)]

    async def change_token(self, token_id: str, *, user_id: str, data: Mapping[str, Any], now: int) -> bool:
        """Update the token in one statement, if it has no user yet."""
        values = {"id": token_id, "user_id": user_id, "data": msgspec.json.encode(data).decode(), "now": now}
        return bool(await self.run_unless_conflict(tokens.CHANGE_TOKEN, values))

    async def recall_token(self, request: str, purpose: str, subject: str, now: int) -> OneTimeToken | None:
        """Select the live token by its id, else the newest of the purpose."""
        values = {"id": request, "purpose": purpose, "subject": subject, "now": now}
        return first(token_of, await self.run(tokens.RECALL_TOKEN, values, read=True))

    async def try_code(self, purpose: str, token_id: str, code: str, *, now: int, tries: int) -> OneTimeToken | None:
        """Compare and count in one statement: concurrent guesses cannot exceed the limit."""
        values = {"purpose": purpose, "id": token_id, "code": code, "now": now, "tries": tries}
        token = first(token_of, await self.run(tokens.TRY_CODE, values))
        return token if token is not None and hmac.compare_digest(token.code, code) else None

    async def count_password(self, token_id: str, *, now: int, tries: int) -> bool:
        """Add one attempt, unless there were too many."""
        return bool(await self.run(tokens.COUNT_PASSWORD, {"id": token_id, "now": now, "tries": tries}))

    async def uncount_password(self, token_id: str) -> None:
        """Subtract one attempt."""
        await self.run(tokens.UNCOUNT_PASSWORD, {"id": token_id})

    async def use_token(self, token_id: str, now: int) -> bool:
        """Mark the token as used if it is live."""
        return bool(await self.run(tokens.USE_TOKEN, {"id": token_id, "now": now}))

    async def void_tokens(self, user_id: str, now: int, purpose: str | None = None, *, keep: str | None = None) -> None:
        """Mark the live tokens of the user as used."""
        await self.run(tokens.VOID_TOKENS, {"user_id": user_id, "now": now, "purpose": purpose, "keep": keep})

    async def void_subject(self, subject: str, now: int, purpose: str) -> None:
        """Mark the live tokens about the address that belong to no user as used."""
        await self.run(tokens.VOID_SUBJECT, {"subject": subject, "now": now, "purpose": purpose})

    async def void_batch(self, after: str, now: int, batch: int) -> list[str]:
        """Mark one batch of tokens as used, by the primary key."""
        rows = await self.run(tokens.VOID_BATCH, {"after": after, "now": now, "batch": batch})
        return sorted(row["id"] for row in rows)

    async def delete_tokens_about(self, subject: str) -> None:
        """Delete the tokens by their subject."""
        await self.run(tokens.DELETE_TOKENS_ABOUT, {"subject": subject})
