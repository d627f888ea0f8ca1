"""The differential test of concealment: no sequence of calls tells whether an address has an account.

Two installations get the same calls. In one of them the address has an account, in the other it has none. Every answer
must be equal, and so must the work: the storage statements of the request, and the mails that are written. The owner
of the account acts in between, and a stranger must not see that either.

`python -m tests.security.concealment --steps 100000 --database sqlite` runs it for long.
"""
