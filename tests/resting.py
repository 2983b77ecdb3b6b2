"""Workers that stand still for a while, where others take their place or nobody does.

Ending and starting them anew would cost seconds of the processor each: the painter loads torch.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from signal import SIGCONT, SIGSTOP

import psycopg

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.chaos.person import wait

# So long a worker's open question to the broker may still be answered, with a message that nobody
# would see before the worker goes on (kombu's `brpop_timeout` is a second).
ASKED = 1.5
BUSY = "SELECT 1 FROM pg_stat_activity WHERE usename = %s AND state <> 'idle'"


@contextmanager
def resting(stack: Stack, *roles: Role) -> Iterator[None]:
    """They take nothing inside. Call it while nobody orders anything."""
    with ExitStack() as over:
        for role in roles:
            over.callback(stack.kill_role, role, SIGCONT)
            wait(f"{role} between two transactions", partial(_stands_still, stack, role))
        time.sleep(ASKED)
        yield


def _stands_still(stack: Stack, role: Role) -> bool:
    """Whether it was stopped; in the middle of a transaction it would hold its locks."""
    stack.kill_role(role, SIGSTOP)
    with psycopg.connect(stack.admin_database_url) as connection:
        busy = connection.execute(BUSY, [f"sitter_{role}"]).fetchone()
    if busy:
        stack.kill_role(role, SIGCONT)
    return not busy
