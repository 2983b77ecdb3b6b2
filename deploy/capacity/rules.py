"""Numbers of the code that the simulation keeps to, each read from where it decides something.

Importing this needs Django to be set up; the processes that run are those of an installation.
"""

from typing import Final

from deploy.stack.roles import CONCURRENCY as CONCURRENCY
from portraits import orders, painting, queue
from privacy import leases, sweeps
from workers import hands

# How many rows are read to find what is being served, and how many messages an order sends.
FRONT: Final = queue.FRONT
NUDGES: Final = orders.NUDGES
# The largest order that waits in the lane of single portraits.
FEW: Final = orders.A_FEW
# How many portraits one worker holds, and how often one that rests looks by itself.
HANDS: Final = hands.COUNT
LOOK_EVERY: Final = hands.LOOK_EVERY
# A dead worker's work may be taken once its lease has run out.
HELD_FOR: Final = leases.HELD_FOR.total_seconds()
RENEW_EVERY: Final = leases.RENEW_EVERY.total_seconds()
MAX_ATTEMPTS: Final = leases.MAX_ATTEMPTS
RETRY: Final = painting.RETRY.total_seconds()
# The sweep that nudges again for what waits, and after how long something counts as waiting.
NUDGE_AGAIN_AFTER: Final = leases.NUDGE_AGAIN_AFTER.total_seconds()
NUDGES_A_KIND: Final = sweeps.NUDGES_A_KIND
# What else than its hands has a connection in a gpu worker: who renews, who announces, who listens.
OTHER_CONNECTIONS: Final = 3
