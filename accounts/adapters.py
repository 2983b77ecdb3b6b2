"""What allauth asks us: who is proved to be there, who may come in, and how mail goes out.

Mail leaves behind the answer, in a thread: how long an address takes to write to would say whether
somebody has it, and a mail server that is away is no reason to refuse.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any, Final

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.hashers import make_password
from django.core.mail import EmailMessage

from accounts import identity
from accounts.arrival import Arrival
from accounts.errors import AccountExists, AddressNeeded, SignUpNeeded
from accounts.models import User
from accounts.proof import recently

log = structlog.get_logger(__name__)
# A mail server that hangs holds these two, and nobody who asks.
_post: Final = ThreadPoolExecutor(2, thread_name_prefix="mail")
# Letters that may wait; beyond, one is dropped, and the person asks for another.
_waiting: Final = BoundedSemaphore(1000)


class AccountAdapter(DefaultAccountAdapter):
    """Named by ACCOUNT_ADAPTER."""

    def render_mail(self, *args: Any, **kwargs: Any) -> Any:
        """Written now, in the language and for the address of the request; sent behind it."""
        return _Letter(super().render_mail(*args, **kwargs))

    def send_account_already_exists_mail(self, email: str) -> None:
        """Whoever signs up with an address that is taken waits as long as with a free one."""
        make_password(email)
        super().send_account_already_exists_mail(email)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """allauth lets those pass who have neither password nor factor; here they ask Apple."""
        request = context.request
        if not get_reauthentication_flows(request.user) and not recently(request.session):
            raise ReauthenticationRequired
        return True


@dataclass(frozen=True)
class _Letter:
    """What allauth sends as soon as it is written."""

    message: EmailMessage = field(repr=False)

    def send(self) -> None:
        """Soon."""
        if _waiting.acquire(blocking=False):
            _post.submit(_send, self.message)
        else:
            log.error("mail_dropped")


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - nobody waits for it; the person asks again
        log.error("mail_not_sent", error=type(error).__name__)
    finally:
        _waiting.release()


class SocialAdapter(DefaultSocialAccountAdapter):
    """Named by SOCIALACCOUNT_ADAPTER. An address alone never opens an account that is there."""

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> Sequence[Any]:
        """None are in the database: the environment says whose tokens count."""
        return []

    def list_providers(self, request: Any) -> list[Any]:
        """Those that the operator has switched on."""
        return [each for each in super().list_providers(request) if identity.clients(each.id)]

    def pre_social_login(self, request: Any, sociallogin: Any) -> None:
        """A newcomer says first that they are 18, and where they live, as at any sign-up."""
        arrival: Arrival = sociallogin.arrival
        if not (sociallogin.is_existing or sociallogin.state.get("process") == "connect"):
            self._admit(sociallogin.user, arrival.region)
        arrival.use_token(request)

    def _admit(self, user: User, region: str) -> None:
        if user.email and filter_users_by_email(user.email):
            raise AccountExists
        if not region:
            raise SignUpNeeded
        if not user.email:
            raise AddressNeeded
        user.region, user.is_adult = region, True
