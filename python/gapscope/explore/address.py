"""Where the page is served."""

from __future__ import annotations

import socket

from gapscope.errors import SettingError

LOCAL = "127.0.0.1"
EVERY = "0.0.0.0"
"""What a socket says that is bound to all addresses."""


def free_port(address: str, port: int) -> int:
    """The port, or a free one for 0.

    Raises
    ------
    SettingError : the port is taken, or is none; or the address is not an IPv4 address or a name of
        this machine, or stands for all of its addresses.
    """
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            host, free = probe.getsockname()
    except (OSError, OverflowError) as error:
        raise SettingError(
            "The page needs a free port, 1 to 65535, of an IPv4 address or a name of this machine.",
            f"{address}:{port}: {error}",
            "Choose another --port, 0 takes any that is free; or another --address.",
        ) from None
    if host == EVERY:
        raise SettingError(
            "The page answers under one address: its sockets open for pages from there alone.",
            f"{address!r}, which stands for all addresses of this machine",
            "Give --address the one that this machine has in its network.",
        )
    return int(free)


def origins(address: str, port: int) -> list[str]:
    """Where the pages come from whose sockets are opened, as host:port.

    A page from elsewhere, which a visitor's browser may show as well, gets none.
    """
    hosts = ["localhost", LOCAL] if address == LOCAL else [address.lower()]
    return [f"{host}:{port}" for host in hosts]
