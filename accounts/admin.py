"""The admin's view of accounts: metadata only."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import User

# Staff have no business with what proves who somebody is.
for hidden in (Authenticator, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(hidden)


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Found by exact e-mail or id; shown without the e-mail."""

    list_display = ("id", "region", "is_adult", "is_staff", "is_active", "created_at")
    fields = readonly_fields = (*list_display, "last_seen_at")
    search_fields = ("=email", "=id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts are made by their owners."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """`user.delete()` is not an erasure; the erasure's own machine is."""
        return False
