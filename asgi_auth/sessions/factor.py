"""What a feature says about a kind of credential that is a second factor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Factor:
    """A second factor: its name in answers, such as `otp`. A backup counts only beside a factor that is none."""

    name: str
    is_backup: bool = False
