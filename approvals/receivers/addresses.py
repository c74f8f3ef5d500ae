"""Which addresses of the network may be called: none that leads back to this machine, its network or its platform.

A name is resolved once, every address of it is looked at, and one of those that were looked at is called: there is no
second look in between that could find another one. What is said of kinds of addresses is `ipaddress`' (IANA's special
registries); what it does not know is added: Azure's own address, and IPv6 addresses that carry one of IPv4.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PLATFORM: tuple[Network, ...] = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's wire server, on a public address
    ipaddress.ip_network("169.254.0.0/16"),  # link-local, with the metadata of the machine
    ipaddress.ip_network("fe80::/10"),
    ipaddress.ip_network("fd00:ec2::254/128"),  # metadata elsewhere
    ipaddress.ip_network("100.100.100.200/32"),
    ipaddress.ip_network("192.0.0.192/32"),
)
"""Never called, whatever a rule says."""
PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""What a rule may let in: networks of one's own (RFC 1918, 4193), and those that are shared (RFC 6598)."""
NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("::/96", "2002::/16", "2001::/23"),  # IPv4 in other clothes: compatible, 6to4, Teredo
        *("64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10"),
    )
)
"""What some versions of `ipaddress` take for global, and tunnels."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(OSError):
    """An address that is never called; aiohttp takes it for a failed connection."""


@dataclass(frozen=True)
class Reach:
    """How far a rule lets callbacks go."""

    private: bool = False
    loopback: bool = False

    def check(self, text: str) -> None:
        """See that an address may be called. Raises Forbidden."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise Forbidden("not an address") from None
        if not self.admits(address):
            raise Forbidden("an address that is not called")

    def admits(self, address: Address) -> bool:
        """Tell whether an address may be called, and every address it carries."""
        if isinstance(address, ipaddress.IPv6Address):
            if address.scope_id:
                return False
            if address.ipv4_mapped:
                return self.admits(address.ipv4_mapped)
            if address in NAT64:
                return Reach().admits(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_loopback:
            return self.loopback
        if is_within(address, PLATFORM):
            return False
        if is_within(address, PRIVATE):
            return self.private
        return address.is_global and not (address.is_multicast or address.is_reserved or is_within(address, NEVER))


def is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address is of one of these networks."""
    return any(address in network for network in networks if network.version == address.version)
