"""High availability: a real cluster in network namespaces, clients under load, and a judge.

`make test-ha` runs it, and `python -m tests.ha -h` tells how to run a part. `make test` only runs tests of the judge.
"""
