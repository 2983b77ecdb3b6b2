"""Apple and Google as allauth knows providers; it looks for this file by its name.

Only their identity tokens count here, which a native app gets from the system: there is no page to
send anybody to, and no client secret on the web.
"""

from typing import Any

from allauth.socialaccount.providers.base import Provider, ProviderAccount

from accounts.identity import Claims


class ByToken(Provider):
    """Takes from a checked token what an account needs, and nothing more."""

    uses_apps = False
    supports_token_authentication = True
    account_class = ProviderAccount

    def extract_uid(self, data: Claims) -> str:
        """A digest of the provider's id."""
        return data.uid

    def extract_extra_data(self, data: Claims) -> dict[str, Any]:
        """Nothing of a profile is kept."""
        return {}

    def extract_common_fields(self, data: Claims) -> dict[str, Any]:
        """The address, which the provider has verified or which is empty."""
        return {"email": data.email, "email_verified": bool(data.email)}


class Apple(ByToken):
    """Sign in with Apple."""

    id = "apple"
    name = "Apple"


class Google(ByToken):
    """Sign in with Google."""

    id = "google"
    name = "Google"


provider_classes = [Apple, Google]
