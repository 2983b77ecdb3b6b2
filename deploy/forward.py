"""Carries one port to another: `python -m deploy.forward 0.0.0.0:8333 127.0.0.1:8334`.

The S3 server of the compose file listens on its own loopback, because its inner ports know no
password; this lets its one public port out, and none of the others.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress

PIECE = 256 * 1024


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction, until its end."""
    with suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def serve(ours: tuple[str, int], theirs: tuple[str, int]) -> asyncio.Server:
    """A server that carries each connection to the other end."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*theirs)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(carry(reader, inner_writer), carry(inner_reader, writer))
        finally:
            inner_writer.close()
            writer.close()

    return await asyncio.start_server(meet, *ours)


def address(text: str) -> tuple[str, int]:
    """`host:port`."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def main(arguments: Sequence[str]) -> None:
    """Until the process is ended."""
    server = await serve(address(arguments[0]), address(arguments[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
