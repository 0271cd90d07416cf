"""Who asks: the address of a client behind a known number of our own proxies. Pure; knows no HTTP library.

Each proxy adds the address that it saw to the end of X-Forwarded-For; what stands before those of our own
proxies is the client's own word, and worth nothing.
"""

from __future__ import annotations

import ipaddress
import re

_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")


def address(peer: str, forwarded: str, proxies: int) -> str:
    """The address that the outermost of `proxies` proxies of ours saw.

    `peer` is who the connection came from, `forwarded` the X-Forwarded-For header, "" without one. Where the
    header is shorter than the row of our proxies, or holds no address there, the nearest that is known
    counts.
    """
    seen = forwarded.rsplit(",", proxies)[-proxies:] if proxies and forwarded.strip() else []
    for said in seen:
        found = _plain(said)
        if found:
            return found
    return peer


def neighbourhood(client: str) -> str:
    """What is counted as one client: the address, or the /64 of an IPv6 address: a client owns all of it."""
    try:
        found = ipaddress.ip_address(client)
    except ValueError:
        return client
    if found.version == 6:
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _plain(said: str) -> str:
    """One address of the header, without brackets and port; "" for what is none."""
    said = said.strip()
    port = _WITH_PORT.fullmatch(said)
    text = (port["v6"] or port["v4"]) if port else said
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
