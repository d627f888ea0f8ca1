"""How much is measured: `tiny` in a test, `quick` in five minutes, `full` in half an hour."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Size:
    """Amounts for one run, and after how many seconds each part is ended, whatever it has reached."""

    name: str
    rounds: int
    requests: int
    """Requests in process, in each round of each contender."""
    writes: int
    """SessionService or refreshes in each round of each contender."""
    users: int
    """Accounts that log in by turns."""
    seconds: float
    """How long a load over HTTP lasts, each time."""
    storm: float
    """How long a storm of logins lasts."""
    scales: tuple[int, ...]
    """Users that the tables hold, one after the other."""
    rows: int
    """Sessions, and as many mailed tokens, with the most users."""
    revoked: tuple[int, ...]
    """Revocations alive."""
    overload: float
    """How long each load beyond the capacity lasts."""
    answer: float
    """The seconds in which each request must be answered."""
    imported: int
    """Users that an import of a file makes."""
    listed: int
    """Users whose list is read page by page."""
    ended: int
    """Sessions that end at once."""
    followers: int
    """Processes that follow one relay."""
    processes: tuple[int, ...] = (1, 2, 4)
    """Processes that work on one database."""
    counted: int = 50
    """Calls of each kind whose statements are counted."""
    bounds: dict[str, float] = field(default_factory=dict)


FULL = Size(
    "full", rounds=9, requests=5000, writes=400, users=2000, seconds=1, storm=10,
    scales=(10_000, 100_000, 1_000_000), rows=10_000_000, revoked=(0, 1_000, 100_000), overload=5, answer=5,
    imported=100_000, listed=100_000, ended=1_000_000, followers=400,
    bounds={"requests": 100, "end_to_end": 190, "writes": 230, "storm": 180, "drivers": 30, "scale": 320,
            "revocation": 40, "startup": 40, "overload": 450, "refused": 20, "hosts": 30,
            "imports": 180, "user_list": 240, "many_ends": 420, "seen": 40,
            "floors": 90, "processes": 120, "statements": 40},
)  # fmt: skip
QUICK = Size(
    "quick", rounds=3, requests=2000, writes=500, users=1000, seconds=1, storm=4,
    scales=(1_000, 10_000), rows=50_000, revoked=(0, 1_000, 10_000), overload=1, answer=1, imported=4_000, listed=5_000,
    ended=20_000, followers=40,
    bounds={"requests": 30, "end_to_end": 25, "writes": 40, "storm": 25, "drivers": 10, "scale": 20,
            "revocation": 12, "startup": 10, "overload": 80, "refused": 10, "hosts": 10,
            "imports": 30, "user_list": 30, "many_ends": 120, "seen": 20,
            "floors": 30, "processes": 40, "statements": 40},
)  # fmt: skip
TINY = Size(
    "tiny", rounds=1, requests=20, writes=16, users=20, seconds=0.2, storm=0.5,
    scales=(10, 20), rows=40, revoked=(0, 10), overload=0.2, answer=0.5, imported=200, listed=300,
    ended=200, followers=6, processes=(1, 2), counted=5,
    bounds=dict.fromkeys(FULL.bounds, 60),
)  # fmt: skip
SIZES = {size.name: size for size in (TINY, QUICK, FULL)}
