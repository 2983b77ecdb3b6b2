"""A network with three doors: run programs in it, and count every packet that wants elsewhere.

Started as a program of its own, it enters an empty network namespace, opens a port for each door
that was asked for, and lays the default route onto the loopback device. So whatever a program
sends to anywhere can be sent, is seen, and arrives nowhere. It reads one JSON object (`doors`: port
to Unix socket; `commands`) from its first line of input, ends the commands when its input ends, and
then prints what it saw. It needs no `ip`, no root where users may have namespaces, no module.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCADDRT, SIOCGIFINDEX = 0x890B, 0x8933
SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8916, 0x891C, 0x8913, 0x8914
IFF_UP, RTF_UP = 1, 1
ETH_P_ALL, PACKET_OUTGOING, SOL_PACKET, PACKET_STATISTICS = 3, 4, 263, 6
# A source for packets to far places; both are kept for documentation and belong to nobody.
HERE, HERE6 = "198.51.100.1", "2001:db8::1"
PIECE = 65_536
DNS = 53


def enter() -> None:
    """An empty network of our own. Raises OSError where this user may not have one."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNET) == 0:
        return
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _address(ip: str) -> bytes:
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(ip))


def lay_routes() -> bool:
    """Up, a public address, a way to everywhere; whether there is one for IPv6 too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo".ljust(16, b"\0")
        fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("=H14x", IFF_UP))
        alias = b"lo:0".ljust(16, b"\0")
        fcntl.ioctl(control, SIOCSIFADDR, alias + _address(HERE))
        fcntl.ioctl(control, SIOCSIFNETMASK, alias + _address("255.255.255.255"))
        device = ctypes.create_string_buffer(b"lo")
        anywhere = _address("0.0.0.0")  # noqa: S104 - the destination of a default route
        fcntl.ioctl(
            control,
            SIOCADDRT,
            struct.pack(
                "@L16s16s16sHhLPhPLLH",
                *(0, anywhere, anywhere, anywhere, RTF_UP, 0, 0, 0, 0),
                *(ctypes.addressof(device), 0, 0, 0),
            ),
        )
        index = struct.unpack("=16xi4x", fcntl.ioctl(control, SIOCGIFINDEX, name + bytes(8)))[0]
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        here = socket.inet_pton(socket.AF_INET6, HERE6)
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("@16sIi", here, 128, index))
        route = struct.pack("@48sIHHILIi", bytes(48), 0, 0, 0, 1, 0, RTF_UP, index)
        fcntl.ioctl(control, SIOCADDRT, route)
        return True
    return False


class Watch(threading.Thread):
    """Sees every packet that leaves, on any device, and knows those that belong to a door."""

    def __init__(self, doors: set[int]) -> None:
        super().__init__(daemon=True)
        self.doors = doors
        self.through, self.stray = 0, Counter[str]()
        self._raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
        self._raw.settimeout(0.2)
        self._over = threading.Event()

    def run(self) -> None:
        """Look until nobody sends any more and it was told to end."""
        while True:
            try:
                packet, source = self._raw.recvfrom(400)
            except TimeoutError:
                if self._over.is_set():
                    return
                continue
            if source[2] == PACKET_OUTGOING:
                self._count(packet)

    def _count(self, packet: bytes) -> None:
        wide = packet[0] >> 4 == 6
        family, body = (socket.AF_INET6, 40) if wide else (socket.AF_INET, (packet[0] & 15) * 4)
        kind = packet[6] if wide else packet[9]
        source, target = (packet[8:24], packet[24:40]) if wide else (packet[12:16], packet[16:20])
        ports = struct.unpack("!HH", packet[body : body + 4]) if kind in (6, 17) else (0, 0)
        here = {socket.inet_ntop(family, end) for end in (source, target)} == {"127.0.0.1"}
        if here and kind == socket.IPPROTO_TCP and self.doors & set(ports):
            self.through += 1
        else:
            asked = packet[body + 8 :] if ports[1] == DNS else b""
            where = f"{kind} {socket.inet_ntop(family, target)} {ports[1]}"
            self.stray[f"{where} {_name(asked)}".rstrip()] += 1

    def ended(self) -> dict[str, Any]:
        """What it has seen: packets through the doors, elsewhere, and how many it missed."""
        self._over.set()
        self.join()
        _, missed = struct.unpack("=II", self._raw.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        return {"through": self.through, "stray": dict(self.stray), "missed": missed}


def _name(question: bytes) -> str:
    """The name that a question to a name server asks for, as far as it was seen."""
    labels, at = [], 12
    while at < len(question) and 0 < question[at] < 64:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace"))
        at += 1 + question[at]
    return ".".join(labels)


def forward(listener: socket.socket, far: tuple[int, Any]) -> None:
    """Carry every connection of a listener to a far end, for as long as this process lives."""
    threading.Thread(target=_accept, args=(listener, far), daemon=True).start()


def _accept(listener: socket.socket, far: tuple[int, Any]) -> None:
    family, address = far
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            other = socket.socket(family, socket.SOCK_STREAM)
            try:
                other.connect(address)
            except OSError:
                near.close()
                continue
            for one, two in ((near, other), (other, near)):
                threading.Thread(target=_pump, args=(one, two), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE):
            target.sendall(data)
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            end.shutdown(how)


def _start(command: dict[str, Any]) -> subprocess.Popen[bytes]:
    with open(command["log"], "ab") as log:
        return subprocess.Popen(
            command["argv"],
            env=command["env"],
            cwd=command["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def main() -> int:
    """See the module's own words. 77: this user may not have a network of their own."""
    try:
        enter()
    except OSError:
        return 77
    wanted = json.loads(sys.stdin.readline())
    doors = {int(port): path for port, path in wanted["doors"].items()}
    watch = Watch(set(doors))
    watch.start()
    wide = lay_routes()
    for port, path in doors.items():
        forward(socket.create_server(("127.0.0.1", port)), (socket.AF_UNIX, path))
    running = [_start(command) for command in wanted["commands"]]
    sys.stdout.write("started\n")
    sys.stdout.flush()
    sys.stdin.read()
    for process in running:
        process.send_signal(signal.SIGTERM)
    statuses = []
    for process in running:
        try:
            statuses.append(process.wait(40))
        except subprocess.TimeoutExpired:
            process.kill()
            statuses.append(process.wait())
    sys.stdout.write(json.dumps(watch.ended() | {"wide": wide, "statuses": statuses}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
