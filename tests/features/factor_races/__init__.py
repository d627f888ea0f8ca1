"""Races of second factors among processes; see `record.md`. The long run is `python -m tests.features.factor_races`."""
