"""The client for browsers in Chromium and Firefox: what is sent again, refusals, and other origins."""

from typing import Any

import pytest

from tests.browser.client_tabs import (
    Site,
    heard,
    made,
    passes,
    passes_at_the_server,
    probe,
    profile,
    registers,
    seen,
    tab_of,
)
from tests.support import PASSWORD

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
BROWSERS = pytest.mark.parametrize("kind", ["chromium", "firefox"])


@BROWSERS
async def test_a_request_is_sent_again_once_and_whole_or_not_at_all(
    kind: str, browsers: dict[str, Any], site: Site
) -> None:
    async with profile(browsers[kind]) as opened:
        tab = await tab_of(opened, site.url, "bearer", "cookie")
        email = await registers(tab, "bearer", "cookie")
        note = "new Request('/notes', { method: 'POST', body: new Blob(['a note']) })"
        fetched = "const answer = await {0}.fetch({1}); return [answer.status, (await answer.json()).body];"

        await passes_at_the_server(tab)
        assert await seen(tab, fetched.format("bearer", note)) == ([200, "a note"], ["POST", "POST"], 1)
        await passes_at_the_server(tab)
        assert await seen(tab, fetched.format("cookie", note)) == ([200, "a note"], ["POST"], 1)
        await passes(tab)
        assert await seen(tab, fetched.format("bearer", note)) == ([200, "a note"], ["POST"], 1)

        await tab.run("await cookie.session();")
        own = "const answer = await {0}.fetch('/own'); return [answer.status, await answer.text()];"
        for transport in ("bearer", "cookie"):
            assert await seen(tab, own.format(transport)) == ([401, "no key for the weather"], ["own"], 0)
            refused = f"return [(await {transport}.fetch('/refused')).status, {transport}.user.email];"
            assert await seen(tab, refused) == ([401, email], ["refused"], 0)
        header = "const headers = { Authorization: 'Bearer of-another-service' };"
        other = header + "return (await bearer.fetch('/notes', { headers })).status;"
        assert await seen(tab, other) == (401, ["GET"], 0)
        foreign = "const answer = await bearer.fetch('data:text/plain,x'); return answer.text();"
        with pytest.raises(RuntimeError, match="TypeError"):
            # The policy of the page forbids it: the request was sent as it was.
            await tab.run(foreign)
        await tab.run("violations.length = 0;")

        for value in ("", ".", ".."):
            # In a path, it would name all sessions, or another endpoint.
            named = f"return cookie.delete('/sessions/{{id}}', {{ id: '{value}' }}).catch((error) => error.name);"
            assert await tab.run(named) == "TypeError"

        # The clock of the device goes back by a day.
        await tab.run("const now = Date.now; Date.now = () => now() - 86400000;")
        for renewals in (1, 0):
            assert await seen(tab, fetched.format("bearer", note)) == ([200, "a note"], ["POST"], renewals)

        await passes_at_the_server(tab)
        aborted = (
            "const stop = new AbortController(), sent = bearer.fetch('/notes', { signal: stop.signal }); stop.abort();"
            "return sent.catch((error) => error.name);"
        )
        assert await tab.run(aborted) == "AbortError"
        assert await tab.run("return (await bearer.fetch('/notes')).status;") == 200

        ended = (
            "const answer = await {0}.fetch('/notes'); return [answer.status, (await answer.json()).code, {0}.user];"
        )
        await tab.run("await cookie.post('/ban-me');")
        assert await seen(tab, ended.format("bearer")) == ([401, "token_revoked", None], ["GET"], 0)
        assert await seen(tab, ended.format("cookie")) == ([401, "token_revoked", None], ["GET"], 0)
        await heard(tab, "bearer", email, None)
        assert await seen(tab, "return (await bearer.fetch('/notes')).status;") == (401, ["GET"], 0)


@BROWSERS
@pytest.mark.parametrize("transport", ["cookie", "bearer"])
async def test_no_answer_logs_no_one_out(kind: str, transport: str, browsers: dict[str, Any], site: Site) -> None:
    refused = "return {0}.{1}.catch((error) => [error.name, error.code, error.status, error.retryAfter ?? null]);"
    calls = [
        refused.format(transport, call) for call in ("session()", "fetch('/notes')", "logout()", "get('/sessions')")
    ]
    async with profile(browsers[kind]) as opened:
        tab = await tab_of(opened, site.url, transport)
        email = await registers(tab, transport)
        await probe(tab, down=True)
        assert await tab.run(f"return (await {transport}.fetch('/notes')).status;") == 503
        await passes(tab)
        for call in calls:
            assert await tab.run(call) == ["AuthError", "http_503", 503, 7]
        await probe(tab, down=False)

        once = "const real = fetch; globalThis.fetch = async () => {{ globalThis.fetch = real; {0} }};"
        await tab.run(once.format("throw new TypeError('off');"))
        assert await tab.run(calls[1]) == ["AuthError", "offline", 0, None]
        hotel = "new Response('<p>Pay here', { headers: { 'Content-Type': 'text/html' } })"
        await tab.run(once.format(f"return {hotel};"))
        assert await tab.run(calls[1]) == ["AuthError", "offline", 0, None]

        assert await tab.run(f"return [{transport}.user.email, heard.{transport}];") == [email, [email]]
        assert await tab.run(f"return (await {transport}.fetch('/notes')).status;") == 200
        await tab.run(f"await {transport}.logout();")
        assert await tab.run(f"return [{transport}.user, await {transport}.session()];") == [None, None]


@BROWSERS
@pytest.mark.parametrize("transport", ["cookie", "bearer"])
async def test_a_login_whose_user_is_not_told_leaves_no_earlier_user(
    kind: str, transport: str, browsers: dict[str, Any], site: Site
) -> None:
    """The tokens are those of the new user already."""
    no_me = """const real = fetch; globalThis.fetch = (url, ...rest) => {
        if (!String(url).endsWith('/me')) return real(url, ...rest);
        globalThis.fetch = real;
        throw new TypeError('off');
    };"""
    async with profile(browsers[kind]) as opened:
        tab = await tab_of(opened, site.url, transport)
        first = await registers(tab, transport)
        second = await registers(tab, transport)
        login = f"{transport}.login({{ email: '{first}', password: '{PASSWORD}' }})"

        assert await tab.run(f"{no_me} return {login}.catch((error) => error.code);") == "offline"

        assert await tab.run(f"return typeof {transport}.user;") == "undefined"
        assert await tab.run(f"return (await {transport}.session()).email;") == first
        await heard(tab, transport, first, second, None, first)


@BROWSERS
async def test_a_page_of_another_origin(kind: str, browsers: dict[str, Any], site: Site) -> None:
    options = {"base": f"'{site.url}/auth'"}
    async with profile(browsers[kind]) as opened:
        tab = await tab_of(opened, site.other)
        await tab.run(made("bearer", **options) + made("cookie", **options))
        email = await registers(tab, "bearer", "cookie")
        script = f"return (await {{0}}.fetch('{site.url}/notes', {{{{ method: 'POST' }}}})).status;"
        for transport in ("cookie", "bearer"):
            assert await tab.run(script.format(transport)) == 200
            # The origin of the page gets no token unless it is named.
            bare = f"return (await {transport}.fetch('/notes', {{ credentials: 'omit' }})).status;"
            assert await tab.run(bare) == 401
        reads = (
            "const socket = await {0}.socket('{1}/chat', ['chat']);"
            "return new Promise((done) => {{ socket.onmessage = (event) => done(event.data); }});"
        )
        user = await tab.run("return (await bearer.session()).id;")
        for transport in ("cookie", "bearer"):
            assert await tab.run(reads.format(transport, site.url.replace("http", "ws"))) == user
        await passes(tab)
        for transport in ("cookie", "bearer"):
            assert await tab.run(script.format(transport)) == 200
            await tab.run(f"await {transport}.logout();")
            await heard(tab, transport, email, None)
        assert await tab.run("return violations;") == []
