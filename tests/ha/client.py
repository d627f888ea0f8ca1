"""Honest clients: they register, log in, refresh, call, change passwords, log out, and log what was acknowledged."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jwt

from tests.ha.log import Entry, Log
from tests.ha.routes import Route

#: Seconds that an ended session is tried at every process, at most.
WATCH = 8.0
MOST_SESSIONS, MOST_USERS = 4, 8
#: Logins of one account; the limits allow ten a minute.
MOST_LOGINS = 8
#: Shares of the operations.
SHARES = {"register": 10, "login": 12, "refresh": 30, "who": 28, "logout": 15, "change": 5}


@dataclass(eq=False)
class HeldSession:
    """A session as its client knows it. `state` is alive, ended, or unknown after an end without an answer."""

    email: str
    id: str
    state: str = "alive"
    access_token: str = ""
    refresh_token: str = ""
    expires: float = 0.0
    retry_at: float = 0.0
    ended_at: float = 0.0


@dataclass(eq=False)
class HeldUser:
    """An account as its client knows it; without a password when a change got no answer."""

    email: str
    password: str | None
    sessions: list[HeldSession] = field(default_factory=list)
    logins: int = 0

    def alive(self) -> list[HeldSession]:
        return [session for session in self.sessions if session.state == "alive"]


class Client:
    """One client of one route. It asks a random process each time."""

    def __init__(self, route: Route, name: str, log: Log, pause: float) -> None:
        """Know no account yet; `name` begins the addresses of the accounts."""
        self._route, self._name, self._log, self._pause = route, name, log, pause
        self._random = random.Random(name)
        self._users: list[HeldUser] = []
        self._number = 0
        self._watching: set[asyncio.Task[None]] = set()
        self.is_stopped = False
        limits = httpx2.Limits(max_connections=100)
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(15), limits=limits, trust_env=False)

    async def run(self) -> None:
        """Work until it is stopped."""
        names, weights = list(SHARES), list(SHARES.values())
        while not self.is_stopped:
            await asyncio.sleep(self._pause * self._random.uniform(0.5, 1.5))
            (name,) = self._random.choices(names, weights)
            sessions = [session for user in self._users for session in user.alive()]
            known = [user for user in self._users if user.password and user.logins < MOST_LOGINS]
            if not known or (name == "register" and len(known) < MOST_USERS):
                await self.register()
            elif not sessions or name == "login":
                await self.log_in(self._random.choice(known))
            elif name in {"refresh", "who", "logout", "change"}:
                await getattr(self, name)(self._random.choice(sessions))

    async def check_all(self) -> None:
        """Try everything that must hold now: live sessions, passwords, and the ends of sessions."""
        await asyncio.gather(*self._watching)
        for user in self._users:
            for session in user.alive():
                await self.who(session)
                session.retry_at = 0.0
                await self.refresh(session)
            if user.password:
                await self.log_in(user)
            for session in user.sessions[-20:]:
                if session.state == "ended":
                    await asyncio.gather(*(self._ask_ended(session, n) for n in range(self._route.processes)))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def register(self) -> None:
        """Register an account, and log in."""
        self._number += 1
        user = HeldUser(f"{self._name}-{self._number}@example.com", f"battery staple {self._number} {self._name} zq")
        body = {"email": user.email, "password": user.password}
        entry, _ = await self._call("register", "/auth/register", body, email=user.email)
        if entry.status == 201:
            self._users.append(user)
            await self.log_in(user)

    async def log_in(self, user: HeldUser) -> None:
        """Begin a session, unless the user has enough."""
        if len(user.alive()) >= MOST_SESSIONS:
            return
        user.logins += 1
        body = {"email": user.email, "password": user.password}
        entry, answer = await self._call("login", "/auth/login", body, email=user.email)
        if entry.status == 200:
            session = HeldSession(user.email, entry.session)
            self._keep(session, answer)
            user.sessions.append(session)

    async def refresh(self, session: HeldSession) -> None:
        """Exchange the refresh token; after no answer or a 503, the same one again, when two seconds have passed."""
        if time.time() < session.retry_at:
            return
        body = {"refresh_token": session.refresh_token}
        entry, answer = await self._call("refresh", "/auth/refresh", body, session=session.id, email=session.email)
        if entry.status == 200:
            self._keep(session, answer)
        elif entry.is_unknown:
            session.retry_at = time.time() + 2
        elif entry.status == 401:
            session.state = "refused"

    async def who(self, session: HeldSession) -> None:
        """Call the app with the access token, while it is good."""
        if time.time() < session.expires - 5:
            await self._call(
                "who", "/who", None, session=session.id, token=session.access_token, expires=session.expires
            )

    async def logout(self, session: HeldSession) -> None:
        """End the session, and watch at all processes whether it has ended."""
        body = {"refresh_token": session.refresh_token}
        session.state = "unknown"
        entry, _ = await self._call("logout", "/auth/logout", body, session=session.id, token=session.access_token)
        if entry.status == 204:
            self._end(session, entry.got)
        elif entry.status == 401:
            session.state = "refused"

    async def change(self, session: HeldSession) -> None:
        """Change the password, which ends the other sessions of the user."""
        (user,) = (user for user in self._users if user.email == session.email)
        if user.password is None:
            return
        old, new = user.password, f"battery staple {self._random.random():.12f} zq"
        others = [other for other in user.alive() if other is not session]
        user.password = None
        for other in others:
            other.state = "unknown"
        body = {"current_password": old, "new_password": new}
        details: dict[str, Any] = {"session": session.id, "email": user.email}
        entry, answer = await self._call("change", "/auth/change-password", body, token=session.access_token, **details)
        if entry.is_acknowledged:
            user.password = new
            self._keep(session, answer)
            for other in others:
                self._end(other, entry.got)
        elif not entry.is_unknown:
            user.password = old
            for other in others:
                other.state = "alive"

    def _keep(self, session: HeldSession, answer: dict[str, Any]) -> None:
        if "access_token" in answer:
            session.access_token, session.refresh_token = answer["access_token"], answer["refresh_token"]
            session.expires = time.time() + answer["expires_in"]

    def _end(self, session: HeldSession, at: float) -> None:
        session.state, session.ended_at = "ended", at
        for number in range(self._route.processes):
            task = asyncio.create_task(self._watch(session, number))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    async def _watch(self, session: HeldSession, process: int) -> None:
        """Ask a process with the token of an ended session until it refuses."""
        end = max(WATCH, self._route.lag + 2)
        while time.time() < session.ended_at + end and not self.is_stopped:
            if await self._ask_ended(session, process) == 401:
                return
            await asyncio.sleep(0.05 if time.time() < session.ended_at + 1 else 0.25)

    async def _ask_ended(self, session: HeldSession, process: int) -> int:
        if time.time() > session.expires - 5:
            return 401
        details: dict[str, Any] = {"session": session.id, "since": session.ended_at, "process": process}
        entry, _ = await self._call("ended", "/who", None, token=session.access_token, **details)
        return entry.status

    async def _call(
        self, op: str, path: str, body: Any, *, token: str = "", process: int | None = None, **details: Any
    ) -> tuple[Entry, dict[str, Any]]:
        """Send a request, and log it."""
        number = self._random.randrange(self._route.processes) if process is None else process
        answer: dict[str, Any] = {}
        headers = {"x-forwarded-for": f"10.{self._random.randrange(256)}.{self._random.randrange(256)}.7"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        status, code, sent = 0, "", time.time()
        try:
            url = self._route.urls[number] + path
            response = await self._http.request("GET" if body is None else "POST", url, json=body, headers=headers)
            status = response.status_code
            answer = response.json() if response.content else {}
            code = str(answer.get("code") or answer.get("error") or "")
        except (httpx2.HTTPError, ValueError) as error:
            code = type(error).__name__
        entry = Entry(
            op=op,
            route=self._route.name,
            process=number,
            sent=sent,
            got=time.time(),
            status=status,
            code=code,
            **details,
        )
        if "access_token" in answer:
            entry.session = jwt.decode(answer["access_token"], options={"verify_signature": False})["sid"]
            entry.generation = int(answer["refresh_token"].split(".")[1])
        self._log.add(entry)
        return entry, answer
