"""How many audit records of one kind and subject an hour may add: further ones are counted in one record."""

import uuid

import msgspec

from asgi_auth.limits.counter_keys import network_of
from asgi_auth.model.records import AuditRecord

HOUR = 3600
#: Records of one kind about one user, or from one network, that are kept in an hour, one by one.
MOST = 20
#: Records of one kind without a user that are kept in an hour; further ones are counted without their network.
MOST_WITHOUT_USER = 1000
#: The data of a record that counts others.
COUNTED = {"counted": True}


class AuditTally:
    """Counts the records of one process in the current hour."""

    def __init__(self) -> None:
        """Start at zero."""
        self._hour = -1
        self._counts: dict[tuple[str, ...], int] = {}

    def take(self, record: AuditRecord) -> AuditRecord:
        """Return the record, or above the limit the record that counts it: one for each hour, kind and subject."""
        hour = record.at // HOUR
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        kind = (record.name, record.outcome)
        subject = record.user_id or network_of(record.address)
        if record.user_id is None and self._counts.get(kind, 0) >= MOST_WITHOUT_USER:
            return _counting(record, hour, "")
        if self._add(*kind, subject, record.actor or "") > MOST:
            return _counting(record, hour, subject)
        if record.user_id is None:
            self._add(*kind)
        return record

    def _add(self, *key: str) -> int:
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]


def merged(records: list[AuditRecord]) -> list[AuditRecord]:
    """Add up the counts of records with the same id."""
    found: dict[str, AuditRecord] = {}
    for record in records:
        earlier = found.get(record.id)
        count = record.count + (earlier.count if earlier is not None else 0)
        found[record.id] = msgspec.structs.replace(record, count=count)
    return list(found.values())


def _counting(record: AuditRecord, hour: int, subject: str) -> AuditRecord:
    """Make the record that counts. All processes give it one id, which sorts by the hour as those of `new_id` do."""
    about = (record.user_id or "", subject, *filter(None, [record.actor]))
    text = "\0".join((str(hour), record.name, record.outcome, *about))
    digest = uuid.uuid5(uuid.NAMESPACE_OID, text).int & (2**62 - 1)
    made = uuid.UUID(int=(hour * HOUR * 1000) << 80 | 7 << 76 | 2 << 62 | digest)
    address = subject if record.user_id is None else ""
    return AuditRecord(
        id=str(made),
        name=record.name,
        outcome=record.outcome,
        code=record.code,
        at=record.at,
        user_id=record.user_id,
        address=address,
        data=COUNTED,
        actor=record.actor,
    )
