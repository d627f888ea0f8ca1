"""The files of examples/deploy, each run by its real program."""
