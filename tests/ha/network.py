"""Hosts with networks of their own, joined by a router that swallows packets when told to."""

import subprocess
from collections.abc import Iterable

ROUTER = "router"


class Network:
    """One network namespace for each host, and one for the router between them."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """Make the namespaces; the host with number n has the address 10.78.n.2."""
        self.addresses = {host: f"10.78.{number}.2" for number, host in enumerate(hosts, 1)}
        self._cuts: set[tuple[str, str]] = set()
        for name in (ROUTER, *self.addresses):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for number, host in enumerate(self.addresses, 1):
            self._join(host, f"10.78.{number}")
        subprocess.run(
            ["ip", "netns", "exec", ROUTER, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True
        )

    def _join(self, host: str, net: str) -> None:
        _ip("link", "add", host, "netns", ROUTER, "type", "veth", "peer", "name", "eth0", "netns", host)
        _ip("-n", ROUTER, "address", "add", f"{net}.1/24", "dev", host)
        _ip("-n", ROUTER, "link", "set", host, "up")
        _ip("-n", host, "address", "add", f"{net}.2/24", "dev", "eth0")
        _ip("-n", host, "link", "set", "eth0", "up")
        _ip("-n", host, "route", "add", "default", "via", f"{net}.1")

    def hosts_file(self, aliases: dict[str, str]) -> str:
        """Return /etc/hosts with all hosts, and with other names of some."""
        names = {**{host: host for host in self.addresses}, **aliases}
        lines = [f"{self.addresses[host]} {name}" for name, host in names.items()]
        return "\n".join(["127.0.0.1 localhost", *lines, ""])

    def cut(self, host: str, others: Iterable[str]) -> None:
        """Swallow all packets between a host and others, in both directions: no refusal, no reset."""
        for other in others:
            for pair in ((host, other), (other, host)):
                if host != other and pair not in self._cuts:
                    self._rule("add", pair)
                    self._cuts.add(pair)

    def cut_off(self, host: str) -> None:
        """Swallow all packets from and to a host."""
        self.cut(host, self.addresses)

    def heal(self) -> None:
        """Pass all packets on again."""
        while self._cuts:
            self._rule("del", self._cuts.pop())

    def _rule(self, action: str, pair: tuple[str, str]) -> None:
        source, target = (self.addresses[host] for host in pair)
        _ip("-n", ROUTER, "rule", action, "from", source, "to", target, "blackhole")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
