"""Short device names from user agents, such as `Firefox on Linux`, for the list of sessions and for mails."""

# The first match wins: a Chromium browser also claims to be Chrome and Safari.
PROGRAMS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def device_name(user_agent: str) -> str:
    """Return an English name of the browser and the operating system."""
    program, system = program_and_system(user_agent)
    return f"{program} on {system}" if program and system else program or system or "unknown device"


def program_and_system(user_agent: str) -> tuple[str, str]:
    """Return the names of the browser and the operating system, or "" where unknown.

    Without both, the browser is the first product name of the user agent, such as `curl`; a name longer than 40
    characters is cut, and ends with an ellipsis.
    """
    program = next((name for mark, name in PROGRAMS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    product = user_agent.partition("/")[0]
    return program or ("" if system else product if len(product) <= 40 else f"{product[:39]}…"), system
