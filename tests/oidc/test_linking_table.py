"""The linking table: which account a login or a link at a provider opens, cell by cell."""

from typing import Any, NamedTuple

import pytest

from asgi_auth.features.oidc.profile import Profile
from asgi_auth.features.oidc.signing_in import KIND, credential_of
from tests.oidc.world import ISSUER, World, openid, world
from tests.support import PASSWORD, Answer, Client

HEADERS = {"sec-fetch-site": "same-origin", "auth-transport": "cookie"}
#: The values of the claim `email_verified`, by the column; None for a provider that leaves it out.
CLAIMS: dict[str, Any] = {"true": True, "false": False, '"true"': "true", "1": 1, "absent": None}
#: `account` is that of the address here, and `identity` the user that has the account at the provider already. A link
#: is begun by the user of the address.
TABLE = """
way    account     identity  true     false    "true"   1        absent
login  verified    this      known    known    known    known    known
login  verified    another   another  another  another  another  another
login  verified    none      linked   needed   needed   needed   needed
login  unverified  this      known    known    known    known    known
login  unverified  another   another  another  another  another  another
login  unverified  none      taken    needed   needed   needed   needed
login  none        another   another  another  another  another  another
login  none        none      made     mailed   mailed   mailed   mailed
link   verified    this      known    known    known    known    known
link   verified    another   refused  refused  refused  refused  refused
link   verified    none      linked   linked   linked   linked   linked
link   unverified  this      barred   barred   barred   barred   barred
link   unverified  another   barred   barred   barred   barred   barred
link   unverified  none      barred   barred   barred   barred   barred
"""


class Outcome(NamedTuple):
    """What a cell means: the status or the code, the user of the session, and what the user of the address gets."""

    answer: str
    session: str
    links: bool = False
    loses_password: bool = False


OUTCOMES = {
    # The identity decides, and the address never: nothing else changes.
    "known": Outcome("303", "this"),
    "another": Outcome("303", "another"),
    "linked": Outcome("303", "this", links=True),
    # A stranger may have made the unverified account.
    "taken": Outcome("303", "this", links=True, loses_password=True),
    "made": Outcome("303", "this", links=True),
    "needed": Outcome("link_needed", "none"),
    # A mail proves the address first.
    "mailed": Outcome("202", "none"),
    "refused": Outcome("identity_taken", "this"),
    # The owner of the address could take the account over, and would find a login of a stranger.
    "barred": Outcome("email_not_verified", "this"),
}
COLUMNS, *ROWS = (line.split() for line in TABLE.strip().splitlines())


class Cell(NamedTuple):
    """The users of one cell, by their addresses, and the subject of the account at the provider."""

    app: World
    subject: str

    @property
    def email(self) -> str:
        return f"this-{self.subject}@example.com"

    async def prepare(self, account: str, identity: str, claim: Any) -> None:
        """Make the users, and what the provider says."""
        users = self.app.auth.users
        ids = {"another": (await users.create(f"another-{self.subject}@example.com", verified=True)).id}
        if account != "none":
            made = await users.create(self.email, password=PASSWORD, verified=account == "verified")
            ids["this"] = made.id
        if identity != "none":
            profile = Profile(issuer=ISSUER, subject=self.subject)
            credential = credential_of(openid(), profile, ids[identity], self.app.clock)
            assert await self.app.auth.storage.add_credential(credential)
        verified = {} if claim is None else {"email_verified": claim}
        self.app.op.add_user(self.subject, email=self.email, **verified)
        self.app.op.visitor = self.subject

    async def log_in(self, browser: Client) -> Answer:
        return await browser.post("/auth/login", {"email": self.email, "password": PASSWORD}, headers=HEADERS)

    async def go(self, way: str, browser: Client) -> Answer:
        """Log in at the provider; or log in here, and link."""
        if way == "login":
            return await self.app.login(browser=browser)
        assert (await self.log_in(browser)).status == 200
        begun = await browser.post("/auth/oidc/op/link", {}, headers=HEADERS)
        return await browser.get(await self.app.back(begun.json["url"])) if begun.status == 200 else begun

    async def seen(self, answer: Answer, browser: Client) -> tuple[str, str, str, str, bool]:
        """Return the answer, the users of the session and of the identity, the address's state, and its password's."""
        storage = self.app.auth.storage
        user = await storage.user_by_email(self.email)
        me = await self.app.me(browser)
        found = await storage.find_credential(KIND, f"{ISSUER} {self.subject}")
        names = {"": "none"} | ({user.id: "this"} if user is not None else {})
        session = names.get(me.json["id"] if me.status == 200 else "", "another")
        owner = names.get(found[0].id if found is not None else "", "another")
        state = "none" if user is None else "verified" if user.email_verified else "unverified"
        opens = (await self.log_in(self.app.another_browser())).status == 200
        return answer.json["code"] if answer.status >= 400 else str(answer.status), session, owner, state, opens


@pytest.mark.parametrize("enumeration", ["tell", "hide"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
async def test_each_cell_of_the_linking_table(row: list[str], enumeration: str) -> None:
    way, account, identity, *cells = row
    async with world(enumeration=enumeration) as app:
        for number, (column, name) in enumerate(zip(COLUMNS[3:], cells, strict=True)):
            # Where the addresses of accounts are concealed, no answer tells that there is one.
            outcome = OUTCOMES["mailed" if (name, enumeration) == ("needed", "hide") else name]
            cell, browser = Cell(app, f"subject-{number}"), app.another_browser()
            await cell.prepare(account, identity, CLAIMS[column])

            answer = await cell.go(way, browser)

            expected = (
                outcome.answer,
                outcome.session,
                "this" if outcome.links else identity,
                "verified" if outcome.links else account,
                account != "none" and not outcome.loses_password,
            )
            assert await cell.seen(answer, browser) == expected, column
