"""The Celery app. Celery carries nudges; PostgreSQL decides. Each option names what it prevents."""

import os
import resource
import sys
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_shutdown, worker_shutting_down
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
# Celery would run Django's own checks, for which each worker would load every address of the web.
# Ours run whenever Django starts (privacy/apps.py).
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from django.conf import settings

from privacy import memory
from privacy.errors import PrivacyError
from workers import schedule

log = structlog.get_logger(__name__)

# A core file would hold opened keys and pictures.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
memory.overwrite_freed()

app = Celery("sitter", broker=settings.BROKER_URL, include=["workers.tasks"])
app.conf.update(
    # Results would be one more place where data lingers; the row holds the state.
    task_ignore_result=True,
    result_backend=None,
    # A killed worker's message is delivered again instead of being lost.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # One worker hoarding messages would make others idle.
    worker_prefetch_multiplier=1,
    # pickle would run whatever a broker holds.
    accept_content=["json"],
    task_serializer="json",
    # A missing queue name would put work where no compartment takes it.
    task_create_missing_queues=False,
    task_queues=[
        Queue(name, Exchange(name), name)
        for name in ("intake", "gpu", "upkeep", "keeper", "courier")
    ],
    task_default_queue="upkeep",
    # Redelivery after this time costs one wasted nudge: the lease keeps it from painting twice.
    # kombu's own dies with its process when the broker goes twice in a row.
    broker_transport="workers.broker:Transport",
    broker_transport_options={"visibility_timeout": 600, "socket_connect_timeout": 5},
    broker_connection_retry_on_startup=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # SIGQUIT lets tasks finish within this time. SIGTERM waits for them: all are short but the
    # painting, which drains by itself (workers/generate.py).
    worker_soft_shutdown_timeout=20,
    worker_send_task_events=True,
    task_send_sent_event=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    timezone="UTC",
    beat_schedule=schedule.table(providers=any(settings.PROVIDERS.values())),
    # A clock that was set forward is noticed within this time.
    beat_max_loop_interval=5,
)


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery would install handlers of its own, which print arguments."""


@worker_init.connect
def _start_role(sender: Any, **_: Any) -> None:
    """Make keys, load engines, start the sandbox: what this role needs before its first task."""
    from workers import roles, watch  # Django's models are ready only now

    try:
        roles.start()
        memory.settle()
        roles.begin()
        watch.start(str(settings.ROLE), sender.concurrency, app.tasks)
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker must not start
        # Celery swallows what a signal handler raises and would run a worker without its keys or
        # its engine. Our own refusals name the file or the setting; foreign ones only their class.
        ours = isinstance(error, PrivacyError) or type(error).__module__.startswith("workers.")
        log.critical("role_cannot_start", error=type(error).__name__)
        reason = str(error) if ours else type(error).__name__
        sys.stderr.write(f"{settings.ROLE} cannot start: {reason}\n")
        raise SystemExit(1) from None


@worker_shutting_down.connect
def _leave_role(**_: Any) -> None:
    """SIGTERM has come: what drains a queue must not begin anything more."""
    from workers import roles

    roles.leave()


@worker_shutdown.connect
def _stop_role(sender: Any, **_: Any) -> None:
    from workers import roles

    try:
        roles.stop()
    except Exception as error:  # noqa: BLE001 - Celery would note it and end with 0
        log.critical("role_ended_badly", error=type(error).__name__)
        # Whoever started this worker must know.
        sender.exitcode = 1
