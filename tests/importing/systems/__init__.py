"""Databases of other systems, and what made them."""

from pathlib import Path

FOLDER = Path(__file__).parent
