"""What may not grow in a process that works for a long time."""

from statistics import median

#: Descriptors and tasks beside the connections of the database and of the clients.
DESCRIPTORS, TASKS = 60, 60
#: How much more the last quarter may be than the first: a share, and a number beside it.
SLACK = {"memory": (0.04, 4096), "objects": (0.03, 4000), "ended sessions": (0.5, 200)}


def grown(samples: list[dict[str, int]], most_connections: int) -> list[str]:
    """Compare the last quarter of the samples with the first, and the most of each kind with its bound."""
    if len(samples) < 8:
        return [f"only {len(samples)} samples"]
    found = []
    quarter = len(samples) // 4
    for name, (share, number) in SLACK.items():
        first = median(sample[name] for sample in samples[:quarter])
        last = median(sample[name] for sample in samples[-quarter:])
        if last > first * (1 + share) + number:
            found.append(f"{name} grows: {first:.0f} in the first quarter, {last:.0f} in the last")
    bounds = {"descriptors": DESCRIPTORS + most_connections, "tasks": TASKS + most_connections}
    if most_connections:
        bounds["connections"] = most_connections
    for name, bound in bounds.items():
        most = max(sample[name] for sample in samples)
        if most > bound:
            found.append(f"{most} {name}, and {bound} at most are right")
    return found
