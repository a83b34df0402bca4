"""Which machines may be contacted on a caller's behalf: a pure question about an address. Nobody is contacted here."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


@cache
def _not_public() -> tuple[tuple[Network, str], ...]:
    rows = tomllib.loads(files("understudy.catalog").joinpath("networks.toml").read_text(encoding="utf-8"))
    return tuple((ip_network(network), what) for table in rows.values() for network, what in table["networks"])


def literal(host: str) -> Address | None:
    """Return the address that a host is, in its one canonical spelling; None for a name, and for any other spelling.

    An IPv6 address has no brackets. One with a zone is none of the Internet's.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id else address


def is_name(host: str) -> bool:
    """Say whether a host can only be a name for the resolver.

    A name whose last label is a number is an old spelling of an IPv4 address to many a resolver: 2130706433, 127.1,
    0177.0.0.1, 0x7f000001 (WHATWG URL, "ends in a number").
    """
    last = host.removesuffix(".").rpartition(".")[2]
    is_number = last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return len(host) <= 253 and _HOST.fullmatch(host) is not None and not is_number


def why_not_public(address: Address) -> str:
    """Return what an address is that is not the public Internet's, such as "loopback"; "" = it is public."""
    for network, what in _not_public():
        if address in network:
            return what
    return "" if address.is_global and not address.is_multicast else "not global"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What may be contacted: the public Internet, and what the operator allows. hosts: lower case, no dot at the end.

    An allowed network covers the addresses that are spelled in it: 10.0.0.0/8 does not cover ::ffff:10.0.0.1. An
    allowed host name covers whatever addresses it has, where it is contacted by that name. setting: where the operator
    allows them.
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    setting: str = "fetch_networks"

    @classmethod
    def reading(cls, allowed: str, *, setting: str = "fetch_networks") -> "Guard":
        """Read the setting: networks, addresses and host names, with spaces or commas between them.

        Raises: ValueError, with a sentence that names the part.
        """
        networks: list[Network] = []
        hosts: set[str] = set()
        for part in allowed.replace(",", " ").lower().split():
            try:
                networks.append(ip_network(part))
            except ValueError as error:
                if not is_name(part):
                    raise ValueError(f"{part!r} is neither network, nor address, nor host name: {error}") from error
                hosts.add(part.removesuffix("."))
        return cls(networks=tuple(networks), hosts=frozenset(hosts), setting=setting)

    def refusal(self, address: str, host: str) -> str:
        """Return why an address may not be contacted for a host; "" = it may be. address: as a resolver gave it."""
        known = literal(address)
        if known is None:
            return f"{address} is not an address of the Internet"
        if self.is_allowed(host) or any(known in network for network in self.networks):
            return ""
        what = why_not_public(known)
        return f"{address} is refused ({what}; the setting {self.setting} can allow it)" if what else ""

    def is_allowed(self, host: str) -> bool:
        """Say whether the operator named the host, by its name or by its address."""
        known = literal(host)
        if known is not None:
            return any(known in network for network in self.networks)
        return host.removesuffix(".") in self.hosts
