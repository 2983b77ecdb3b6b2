"""The gpu worker as a process: it loads its engines, paints until told to end, and drains.

The path of one portrait is atelier.py's. Here is when it begins and how it ends: LOADING until each
engine has painted a picture of nobody, READY, DRAINING once SIGTERM has come; UNFIT where an engine
does not paint or hangs, and then the process ends so that a fresh one takes its place.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from typing import Final

import structlog
from django.conf import settings
from django.db import connections
from django.utils import timezone

from portraits import painters, painting
from portraits.models import Painter
from privacy import memory
from workers import marking
from workers.atelier import Atelier
from workers.engines import base, terms
from workers.hands import Hands
from workers.outlet import standard
from workers.trials import Trials
from workers.vigil import Held

log = structlog.get_logger(__name__)
HOLDER: Final = f"{socket.gethostname()}:{os.getpid()}"
# While there is work, what refers to itself is let go this often; otherwise at the end of it.
FORGET_EVERY: Final = 2.0
# Of the time to drain, so much is kept for giving back what does not end in it.
LAST_SECONDS: Final = 1.0
# By itself Python lets a busy thread keep the interpreter for ten times as long; the engine's needs
# it for a moment between two steps, while others encode and store.
SWITCH_SECONDS: Final = 0.0005
# What a supervisor sees of a process whose engine hangs.
HUNG_STATUS: Final = 70

_state = Painter.State.LOADING
_news = threading.Event()
_ended = threading.Event()
_left_at = 0.0
_failure: Exception | None = None
_forgot_at = 0.0


def start() -> None:
    """Load what this worker serves, and see that it paints. Raises EngineError."""
    sys.setswitchinterval(SWITCH_SECONDS)
    terms.agree(terms.Terms(settings.ALLOW_NONCOMMERCIAL, settings.COMPILED))
    # A certificate that cannot sign is found before anybody waits for a portrait.
    marking.signer()
    painters.announce(HOLDER, settings.ENGINES, timezone.now(), state=_state)
    # Nothing is stored that was not looked at, so without these nothing is painted.
    atelier.outlet.load()
    try:
        atelier.studio.open(
            settings.ENGINES,
            settings.WEIGHTS,
            most=settings.ENGINES_LOADED,
            memory=settings.ENGINE_MEMORY,
        )
    except (base.Unfit, base.DoesNotFit):
        # The row stays, for whoever asks why nobody paints; it means nothing after a while.
        _announce(Painter.State.UNFIT)
        raise


def begin() -> None:
    """Take work, once everything else has started."""
    _become(Painter.State.READY)
    threading.Thread(target=_keep_announcing, name="announce", daemon=True).start()
    hands.start()


def wake() -> None:
    """Something may be waiting: what a nudge means."""
    hands.wake()


def try_styles() -> None:
    """Paint the styles that nobody can try yet, as soon as nothing else waits."""
    trials.ask()
    hands.wake()


def run() -> int:
    """Paint until nothing waits; returns how many items were taken."""
    done = 0
    while (taken := atelier.claim()) or trials.paint_one():
        if not taken:
            continue
        # Where one waits there may be more, and a nudge wakes one hand only.
        hands.wake()
        atelier.paint(*taken)
        _forget(FORGET_EVERY)
        done += 1
    if done:
        _forget(0.0)
    return done


def _forget(every: float) -> None:
    global _forgot_at
    now = time.monotonic()
    if now - _forgot_at >= every:
        _forgot_at = now
        memory.forget()


# --- The end ------------------------------------------------------------------------------------


def leave() -> None:
    """SIGTERM has come: begin nothing more, give back what only waits. For a signal handler."""
    global _left_at
    _left_at = time.monotonic()
    atelier.closing.set()
    hands.leave()
    _become(Painter.State.DRAINING)


def stop() -> None:
    """Finish within the time to drain, show that nothing was learnt, let the engines go.

    What does not end is given back at once. Raises WeightsChanged, or why the process had to end.
    """
    if not hands.leaving:
        leave()
    until = _left_at + settings.DRAIN_LIMIT.total_seconds()
    idle = hands.join(until - LAST_SECONDS)
    if not idle:
        # What paints stops at its next step.
        atelier.closed.set()
        idle = hands.join(until)
    for held in atelier.vigil.all():
        _take_back(held)
    changed = atelier.studio.changed()
    _ended.set()
    painters.leave(HOLDER)
    if changed:
        raise base.WeightsChanged(f"The weights of {', '.join(changed)} have changed in memory.")
    if _failure is not None:
        raise _failure
    if not idle:
        # An engine in the middle of a step would be torn down under its own feet.
        log.warning("left_in_mid_step")
        _exit(0)
    atelier.studio.close()


def _take_back(held: Held) -> None:
    """Another worker may have it now; whoever still works on it here commits nothing."""
    if atelier.vigil.drop(held):
        held.lost = True
        painting.hand_back(held.claim, begun=held.begun)


def _broken(error: Exception) -> None:
    """No engine is left, or one has learnt: end as on SIGTERM, and say so by the status."""
    global _failure
    _failure = error
    atelier.closing.set()
    _become(Painter.State.UNFIT)
    os.kill(os.getpid(), signal.SIGTERM)


def _hung(held: Held) -> None:
    """A render does not come back. Nothing can stop it but the end of its process."""
    log.critical("render_hangs", item_id=str(held.claim.work_id))
    # The database may be what hangs; the process ends all the same.
    for act in (partial(_give_up, held), partial(_announce, Painter.State.UNFIT)):
        try:
            act()
        except Exception as error:  # noqa: BLE001 - see above; the leases run out by themselves
            log.warning("left_untidy", error=type(error).__name__)
    _exit(HUNG_STATUS)


def _give_up(held: Held) -> None:
    """The attempt counts: it may be the order that makes the engine hang."""
    if atelier.vigil.drop(held):
        held.lost = True
        painting.again(held.claim, "engine_hung", timezone.now())
    for other in atelier.vigil.all():
        _take_back(other)


def _exit(status: int) -> None:
    logging.shutdown()
    os._exit(status)


# --- What others know of it ---------------------------------------------------------------------


def _become(state: Painter.State) -> None:
    global _state
    # UNFIT stays: it ends as one that drains, and drains for another reason.
    if _state is not Painter.State.UNFIT:
        _state = state
    _news.set()


def _announce(state: Painter.State) -> None:
    studio = atelier.studio
    served = studio.served or settings.ENGINES
    painters.announce(
        *(HOLDER, served, timezone.now()),
        state=state,
        loaded=studio.loaded,
        rates=studio.rates,
        swap_seconds=painting.affinity.measured,
    )


def _keep_announcing() -> None:
    while not _ended.is_set():
        try:
            _announce(_state)
        except Exception as error:  # noqa: BLE001 - the database is away; the next round tells
            log.warning("announce_failed", error=type(error).__name__)
        finally:
            connections.close_all()
        _news.wait(painters.ANNOUNCE_EVERY.total_seconds())
        _news.clear()


atelier: Final = Atelier(_hung, _broken, standard(settings.WEIGHTS))
trials: Final = Trials(atelier)
hands: Final = Hands(run)
# What tests put their own engines into.
_engines: Final = atelier.studio.engines
