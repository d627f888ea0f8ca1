"""A short name for a device from its user agent, so that its owner knows it again: `Firefox on Linux`."""

# The first that is found counts: many claim to be others as well.
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
    """Name program and system, in English."""
    program, system = program_and_system(user_agent)
    return f"{program} on {system}" if program and system else program or system or "unknown device"


def program_and_system(user_agent: str) -> tuple[str, str]:
    """Find program and system; what isn't a browser goes by the first word it says of itself."""
    program = next((name for mark, name in PROGRAMS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    return program or ("" if system else user_agent.partition("/")[0][:40]), system
