"""kombu's Redis transport, less a fault that ends a worker when its broker goes twice in a row.

A connection that breaks closes its channels. When one of them fails at that, kombu leaves the rest
open and forgets its client; closing these later, it wants to give back what was not acknowledged
and dials nobody: an AttributeError, which Celery takes for the end of the process (kombu 5.7.0).
Nothing is lost by leaving it: the ledger sends anew what waits (privacy/sweeps.py).
"""

from kombu.transport import redis


class Channel(redis.Channel):
    """Gives back what it holds only while there is somebody to give it to."""

    def close(self) -> None:
        """kombu reads `do_restore` while it closes."""
        if self.connection is not None and self.connection.client is None:
            self.do_restore = False
        super().close()


class Transport(redis.Transport):
    """The same with these channels."""

    Channel = Channel
