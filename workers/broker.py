"""kombu's Redis transport, less two faults that end a worker whose broker dies (kombu 5.7.0).

A connection that breaks closes its channels. What a task acknowledges later reaches a channel
without a connection; and when closing one channel fails, the others stay open without a client and
want to give back to nobody what they hold. Both are an AttributeError, which Celery takes for the
end of the process. Nothing is lost by leaving either: the message comes again, and the ledger
sends anew what waits (privacy/sweeps.py).
"""

from kombu.transport import redis


class Channel(redis.Channel):
    """Acknowledges and gives back only while there is somebody to tell."""

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Where the connection is gone, the broker delivers the message again."""
        if not self._is_gone():
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The same."""
        if not self._is_gone():
            super().basic_reject(delivery_tag, requeue)

    def close(self) -> None:
        """kombu reads `do_restore` while it closes."""
        self.do_restore = not self._is_gone()
        super().close()

    def _is_gone(self) -> bool:
        return self.connection is None or self.connection.client is None


class Transport(redis.Transport):
    """The same with these channels."""

    Channel = Channel
