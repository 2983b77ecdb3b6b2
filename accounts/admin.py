"""The admin's view of accounts: metadata only, and what staff did."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group

from accounts.models import User
from accounts.staff.pages import ReadOnly

# Staff have no business with what proves who somebody is, nor with lists of addresses; and who is
# on staff is decided at the command line (`manage.py staff`).
for hidden in (Authenticator, EmailAddress, Group, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(hidden)


@admin.register(User)
class UserAdmin(ReadOnly):
    """Found by exact e-mail or id; shown without the e-mail."""

    list_display = ("id", "region", "is_adult", "is_staff", "is_active", "created_at")
    fields = (*list_display, "last_seen_at")
    search_fields = ("=id",)
    finds_people = True
    search_help_text = "A whole e-mail address, or an id"
    # What else is known by this id, for whoever may see it: the pages are of other rooms.
    change_form_outer_before_template = "staff/account.html"


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly):
    """What staff did, by id: the permission that an act takes is its name."""

    list_display = ("action_time", "user_id", "change_message", "object_repr")
    fields = (*list_display, "object_id")
    search_fields = ("=user__id", "=object_id")
    date_hierarchy = "action_time"
