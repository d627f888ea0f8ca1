"""The documentation's sequence diagrams as plain SVG: `python -m tests.docs.diagrams` draws them, a test compares."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from tests.docs.files import DOCS

FOLDER = DOCS / "images" / "diagrams"
COLUMN, ROW, TOP, MARGIN = 220, 46, 60, 90
STYLE = (
    "text{font:15px system-ui,sans-serif;fill:#263238}.box{fill:#e0f2f1;stroke:#00796b}.note{fill:#fff8e1;"
    "stroke:#ffb300}.life{stroke:#90a4ae;stroke-dasharray:3 4}.arrow{stroke:#37474f;stroke-width:1.5;fill:none}"
    ".reply{stroke-dasharray:6 4}.label{font-size:14px}"
)
HEAD = (
    '<defs><marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
    '<path d="M0 0 9 4 0 8z" fill="#37474f"/></marker></defs>'
)


@dataclass(frozen=True)
class Step:
    """A message between two participants, a step of one participant, or (without a sender) a note over all."""

    text: str
    sender: int | None = None
    receiver: int | None = None
    is_reply: bool = False


def say(sender: int, receiver: int, text: str) -> Step:
    """A message."""
    return Step(text, sender, receiver)


def reply(sender: int, receiver: int, text: str) -> Step:
    """A reply."""
    return Step(text, sender, receiver, is_reply=True)


@dataclass(frozen=True)
class Diagram:
    """Participants from left to right, and steps from top to bottom."""

    title: str
    participants: list[str]
    steps: list[Step]


DIAGRAMS = {
    "login": Diagram(
        "A login",
        ["Client", "AuthApp", "Argon2 pool", "Database"],
        [
            say(0, 1, "POST /login"),
            say(1, 1, "strict body check, limits"),
            say(1, 3, "user and credential (unknown users: same query)"),
            say(1, 2, "verify, or a decoy hash"),
            reply(2, 1, "the password is right"),
            say(1, 3, "transaction: re-check credential, add session"),
            reply(1, 0, "access and refresh token"),
        ],
    ),
    "request": Diagram(
        "An authenticated request",
        ["Client", "AuthMiddleware", "Database", "Your app"],
        [
            say(0, 1, "request with a token"),
            say(1, 1, "cached? else verify the signature"),
            say(1, 1, "revoked? in-memory lookup"),
            say(1, 2, "if data is older than 2 s"),
            say(1, 3, 'scope["user"] = Identity'),
            reply(3, 0, "response"),
        ],
    ),
    "refresh": Diagram(
        "A refresh, and the reuse of an old token",
        ["Tab 1", "Tab 2", "asgi_auth"],
        [
            say(0, 2, "refresh (token 7)"),
            say(1, 2, "refresh (token 7)"),
            reply(2, 0, "token 8"),
            reply(2, 1, "same token 8, within 10 s"),
            say(0, 2, "request with access token 8"),
            Step("much later"),
            say(1, 2, "refresh (token 7): reuse"),
            Step("the session ends"),
            reply(2, 1, "401 token_reuse"),
        ],
    ),
    "revocation": Diagram(
        "A revocation reaches another process",
        ["Process A", "Database", "Process B"],
        [
            say(0, 1, "end the session"),
            reply(1, 2, "NOTIFY, or data_version"),
            say(2, 1, "which sessions ended?"),
            say(2, 2, "reject the token, close websockets"),
            Step("independent of NOTIFY"),
            say(2, 1, "poll once a second"),
            say(2, 2, "silent for 2 s: ask per request"),
        ],
    ),
}


def drawn(diagram: Diagram) -> str:
    """Return a diagram as SVG."""
    width = COLUMN * (len(diagram.participants) - 1) + 2 * MARGIN
    height = TOP + ROW * (len(diagram.steps) + 1)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(diagram.title)}</title><style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>',
            HEAD,
            *(participant(number, name, height) for number, name in enumerate(diagram.participants)),
            *(part for row, step in enumerate(diagram.steps, 1) for part in parts(step, TOP + ROW * row, width)),
            "</svg>\n",
        ]
    )


def x_of(number: int) -> int:
    """Return the middle of a participant's column."""
    return MARGIN + COLUMN * number


def participant(number: int, name: str, height: int) -> str:
    """Return a box with a name, and the lifeline below."""
    x = x_of(number)
    return (
        f'<line class="life" x1="{x}" y1="{TOP - 14}" x2="{x}" y2="{height - 12}"/>'
        f'<rect class="box" x="{x - 75}" y="14" width="150" height="32" rx="6"/>'
        f'<text x="{x}" y="35" text-anchor="middle">{escape(name)}</text>'
    )


def parts(step: Step, y: int, width: int) -> Iterator[str]:
    """Yield the SVG elements of a step."""
    if step.sender is None or step.receiver is None:
        yield f'<rect class="note" x="{width // 2 - 110}" y="{y - 20}" width="220" height="28" rx="4"/>'
        yield f'<text class="label" x="{width // 2}" y="{y - 1}" text-anchor="middle">{escape(step.text)}</text>'
        return
    start, end = x_of(step.sender), x_of(step.receiver)
    kind = "arrow reply" if step.is_reply else "arrow"
    if start == end:
        side = 1 if end + 170 < width else -1
        yield f'<path class="{kind}" marker-end="url(#head)" d="M{start} {y - 14}h{18 * side}v16h{-16 * side}"/>'
        anchor = "start" if side > 0 else "end"
        yield label(step.text, start + 26 * side, y, anchor)
        return
    yield f'<line class="{kind}" marker-end="url(#head)" x1="{start}" y1="{y}" x2="{end}" y2="{y}"/>'
    yield label(step.text, (start + end) // 2, y - 7, "middle")


def label(text: str, x: int, y: int, anchor: str) -> str:
    """Return a text with a white outline, which covers the lines behind."""
    return (
        f'<text class="label" x="{x}" y="{y}" text-anchor="{anchor}" stroke="#fff" stroke-width="5" '
        f'paint-order="stroke">{escape(text)}</text>'
    )


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, diagram in DIAGRAMS.items():
        (FOLDER / f"{file}.svg").write_text(drawn(diagram), "utf-8")
