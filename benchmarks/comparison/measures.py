"""What is measured of each contender, and how. All figures are ratios or counts: machines differ."""

import json
import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.comparison.client import Answer, Client
from benchmarks.comparison.contenders import Call, Contender

OPEN, CLOSED = Call("GET", "/open"), Call("GET", "/closed")
WRONG = "a wrong password of a guesser"
#: What says nothing about an address: a limit of requests, and a busy machine.
REFUSALS = {429, 503}
USERS = [f"user{number}@example.com" for number in range(20)]


def prepare(contender: Contender, port: int) -> None:
    """Register the users, each from a network of its own, where the app has not created them."""
    if contender.seeds:
        return
    client = Client(contender, port)
    for number, email in enumerate(USERS):
        answer = client.send(contender.register, email, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        while answer.status == 429:  # a limit of registrations: it is not what is measured here
            time.sleep(1)
            answer = client.send(contender.register, email, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        if answer.status >= 400:
            raise RuntimeError(f"{contender.title}: registration is {answer.status}: {answer.text[:200]}")


def requests(contender: Contender, port: int) -> dict[str, Any]:
    """A request that needs a login, of one that needs none: both on one connection, in turns."""
    client = Client(contender, port)
    headers = client.login(USERS[0])
    taken: dict[str, list[float]] = {OPEN.path: [], CLOSED.path: []}
    for _ in range(600):
        for call, sent in ((OPEN, {}), (CLOSED, headers)):
            answer = client.send(call, headers=sent)
            if answer.status != 200:
                raise RuntimeError(f"{contender.title}: {call.path} is {answer.status}: {answer.text[:200]}")
            taken[call.path].append(answer.seconds)
    return {"request": median(taken[CLOSED.path][100:]) / median(taken[OPEN.path][100:])}


def storm(contender: Contender, port: int) -> dict[str, Any]:
    """Sixteen logins of sixteen users at once, and the longest wait of another request meanwhile."""
    client = Client(contender, port)
    statuses: list[int] = []

    def log_in(number: int) -> float:
        network = {"X-Forwarded-For": f"198.51.100.{number}"}
        answer = Client(contender, port).send(contender.login, USERS[number], headers=network)
        statuses.append(answer.status)
        return answer.seconds

    one = median(log_in(number) for number in (16, 17, 18))
    statuses.clear()
    threads = [threading.Thread(target=log_in, args=(number,)) for number in range(16)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    waits = []
    while any(thread.is_alive() for thread in threads):
        waits.append(client.send(OPEN).seconds)
        time.sleep(0.002)
    taken = time.perf_counter() - started
    return {"storm": taken / one, "stall": max(waits) / one, "logged_in": statuses.count(200)}


def guesses(contender: Contender, port: int) -> dict[str, Any]:
    """Thirty wrong passwords of one user, each with another X-Forwarded-For; then the right one."""
    client = Client(contender, port)
    networks = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(30)]
    answers = [client.send(contender.login, USERS[0], WRONG, network) for network in networks]
    owner = client.send(contender.login, USERS[0], headers={"X-Forwarded-For": "198.51.100.99"})
    first = shape(answers[0])  # some refuse with the same status and another body
    return {"checked": sum(shape(answer) == first for answer in answers), "owner": owner.status}


def revocation(contender: Contender, port: int) -> dict[str, Any]:
    """What was good before a logout, after it."""
    client = Client(contender, port)
    headers = client.login(USERS[1])
    before = client.send(CLOSED, headers=headers).status
    logout = client.send(contender.logout, headers=headers)
    after = client.send(CLOSED, headers=headers).status
    return {"before": before, "logout": logout.status, "after": after}


def concealment(contender: Contender, port: int) -> dict[str, Any]:
    """Whether answers, and times of answers, tell that an address has an account."""
    client = Client(contender, port)
    pairs = []
    for number in range(2, 8):
        network = {"X-Forwarded-For": f"198.51.100.{number}"}
        emails = USERS[number], f"no{number}@example.com"
        pair = [client.send(contender.login, email, WRONG, network) for email in emails]
        if not REFUSALS & {answer.status for answer in pair}:  # a limit is no answer about an address
            pairs.append(pair)
    found: dict[str, Any] = {
        "login_same": all(shape(known) == shape(unknown) for known, unknown in pairs),
        "login_time": min(unknown.seconds for _, unknown in pairs) / min(known.seconds for known, _ in pairs),
        "register_same": same(client, contender.register, USERS[10], "new@example.com"),
    }
    if contender.forgot is not None:
        found["forgot_same"] = same(client, contender.forgot, USERS[11], "nobody@example.com")
    return found


def paced(call: Callable[[], Answer]) -> Answer:
    """Call again after a limit, or while the machine is busy: only the answer of the endpoint itself counts."""
    end = time.monotonic() + 20
    while (answer := call()).status in REFUSALS and time.monotonic() < end:
        time.sleep(2)
    return answer


def same(client: Client, call: Call, known: str, unknown: str) -> bool:
    """Tell whether a known and an unknown address get answers of one shape."""
    return shape(paced(lambda: client.send(call, known))) == shape(paced(lambda: client.send(call, unknown)))


def shape(answer: Answer) -> tuple[int, Any]:
    """Return the status of an answer, and what its body tells: an error without digits, else its members."""
    if answer.status < 400 and answer.text.startswith("{"):
        return answer.status, sorted(json.loads(answer.text))
    return answer.status, "".join(character for character in answer.text if not character.isdigit())


Measure = Callable[[Contender, int], dict[str, Any]]
#: Those of a group share a process and a database; wrong passwords leave traces, so these have their own.
GROUPS: tuple[tuple[Measure, ...], ...] = ((requests, revocation, storm), (guesses,), (concealment,))
