"""No callback leads back to this machine, its network or its platform, however its address is written.

The oracle is that nothing at all is connected to: every spelling below leads to a forbidden address for some reader.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket

import pytest

from approvals.receivers import sending
from approvals.receivers.addresses import Reach
from approvals.receivers.allowed import Rule
from approvals.receivers.events import CallbackEvent
from approvals.rules.callbacks import read_target

FORBIDDEN = [
    *("127.0.0.1", "127.8.9.10", "0.1.2.3", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.100.100.200"),
    *("169.254.169.254", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
    *("240.0.0.1", str(ipaddress.IPv4Address(0))),
]
FORBIDDEN_6 = [
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "64:ff9b:1::7f00:1"),
    *("100::1", "5f00::1", "2001:10::1", "2001:20::1", "3fff::1"),
]
EVENT = CallbackEvent("id", "org.example.ping", "https://approvals.example.com", "", dt.datetime.now(dt.UTC), {"a": 1})


def in_four(address):
    return [int(part) for part in address.split(".")]


def spellings_of(address):
    """Write an IPv4 address in every way that some reader takes."""
    a, b, c, d = in_four(address)
    number = int(ipaddress.IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    yield from (address, f"{address}.", str(number), hex(number), f"0{number:o}", f"0x{number:08X}")
    yield from (f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a:03d}.{b:03d}.{c:03d}.{d:03d}")
    yield from (f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{low}", f"0x{a:x}.{b}.0{c:o}.{d}", f"{a + 256}.{b}.{c}.{d}")
    yield from (f"[::ffff:{address}]", f"[::ffff:{high:x}:{low:x}]", f"[0:0:0:0:0:FFFF:{address}]", f"[::{address}]")
    yield from (f"[2002:{high:x}:{low:x}::1]", f"[64:ff9b::{address}]", f"[64:ff9b::{high:x}:{low:x}]")
    yield f"[2001:0:{high:x}:{low:x}::{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}]"
    yield from (f"[::ffff:{address}%25eth0]", f"[{address}]", f"{address}.xip.example", f"user@{address}")
    yield from (f"hooks.example.com@{address}", f"{address}#@hooks.example.com", f"{address}%00.example.com")
    yield from (
        f"{address}\\.example.com",
        f" {address}",
        f"{address}:80#",
        f"{address}/",
        f"%{ord(address[0]):x}{address[1:]}",
    )
    yield "".join(chr(0xFF10 + int(each)) if each.isdigit() else each for each in address)
    yield address.replace(".", "\u3002")


HOSTS = [
    *(spelling for address in FORBIDDEN for spelling in spellings_of(address)),
    *(f"[{address}]" for address in FORBIDDEN_6),
    *(f"[{address}%25{zone}]" for address in ("fe80::1", "::1") for zone in ("eth0", "1", "lo")),
    *(f"name-{number}.example" for number in range(len(FORBIDDEN + FORBIDDEN_6))),
    *("localhost", "LOCALHOST", "localhost.", "ip6-localhost", "metadata.google.internal"),
]
NAMES = {
    **{f"name-{number}.example": address for number, address in enumerate(FORBIDDEN + FORBIDDEN_6)},
    **dict.fromkeys(("localhost", "ip6-localhost", "metadata.google.internal"), "127.0.0.1"),
}


@pytest.fixture
def network(monkeypatch):
    """Give a network that knows these names, and keeps which addresses were connected to; there is nobody."""
    connected = []

    async def resolve(_loop, host, port, *, family=0, type=0, proto=0, flags=0):  # noqa: A002 - the loop's own
        for suffix in (".xip.example",):
            host = host.removesuffix(suffix)
        try:
            address = NAMES.get(host.lower()) or socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            address = host
        found = [NAMES[f"{host} first"], address] if f"{host} first" in NAMES else [address]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (each, port, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]

    async def connect(_loop, _socket, address):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", connect)
    return connected


def call(url, reach=Reach()):  # noqa: B008 - a value
    """Send to an address for which there is a rule, whatever it is."""
    target = read_target(url)
    rule = Rule("any", target, "url", reach=reach)
    return asyncio.run(sending.send_event(EVENT, "structured", target, rule))


def test_there_are_enough_spellings():
    assert len({f"{scheme}{host}" for scheme in ("http", "https") for host in HOSTS}) > 1000


def outcomes(reach):
    """Try every spelling, and give what became of it."""
    for host in HOSTS:
        for scheme in ("http", "https"):
            try:
                yield call(f"{scheme}://{host}/", reach).reason
            except ValueError:
                yield "not an address"


def test_no_spelling_of_a_forbidden_address_is_connected_to(network):
    assert set(outcomes(Reach())) == {"not an address", "forbidden_address"}
    assert network == []


def test_a_rule_for_private_addresses_lets_in_nothing_else(network):
    assert set(outcomes(Reach(private=True))) == {"not an address", "forbidden_address", "not_reached"}

    own = [
        ipaddress.ip_network(text)
        for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    ]
    reached = {ipaddress.ip_address(address) for address, *_ in network}
    reached = {each.ipv4_mapped or each if each.version == 6 else each for each in reached}
    assert {
        str(each) for each in reached if not any(each in net for net in own if net.version == each.version)
    } == set()
    assert not {"168.63.129.16", "fd00:ec2::254", "100.100.100.200"} & {str(each) for each in reached}


def test_a_public_address_is_connected_to(network):
    NAMES["hooks.example"] = "93.184.216.34"

    said = call("https://hooks.example/1")

    assert (said.reason, network) == ("not_reached", [("93.184.216.34", 443)])


def test_one_forbidden_address_of_a_name_is_enough(network):
    NAMES["mixed.example"] = "10.0.0.1"
    NAMES["mixed.example first"] = "93.184.216.34"

    assert call("https://mixed.example/1").reason == "forbidden_address"
    assert network == []


@pytest.mark.parametrize("address", ["10.0.0.5", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fc00::1"])
def test_a_private_address_is_for_rules_that_say_so(address):
    assert Reach(private=True).admits(ipaddress.ip_address(address))
    assert not Reach().admits(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_for_rules_of_this_machine(address):
    assert Reach(loopback=True).admits(ipaddress.ip_address(address))
    assert not Reach(private=True).admits(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::8.8.8.8"])
def test_the_rest_of_the_world_is_called(address):
    assert Reach().admits(ipaddress.ip_address(address))
