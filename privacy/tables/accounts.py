"""The tables of accounts/ and of the packages below it: allauth, Django's auth, admin, types."""

from typing import Final

from privacy.retention import Term
from privacy.tables.shapes import Class, End, Lasting, Table

TABLES: Final[tuple[Table, ...]] = (
    Table(
        *("account.EmailConfirmation", "pending e-mail confirmations", "verifying the address"),
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "email_address__user_id"),
        {Class.PSEUDONYM: "id email_address", Class.TIME: "created sent", Class.SECRET: "key"},
    ),
    Table(
        *("account.EmailAddress", "the e-mail address", "signing in"),
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "user_id"),
        {Class.PSEUDONYM: "id user", Class.CONTACT: "email", Class.STATE: "verified primary"},
    ),
    Table(
        "mfa.Authenticator",
        "passkeys and what they are called, sealed secrets of codes",
        "signing in",
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "user_id"),
        {
            Class.PSEUDONYM: "id user",
            Class.SECRET: "data",
            Class.STATE: "type",
            Class.TIME: "created_at last_used_at",
        },
    ),
    Table(
        *("socialaccount.SocialToken", "never anything", "allauth"),
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "account__user_id"),
        {
            Class.PSEUDONYM: "id account app",
            Class.SECRET: "token token_secret",
            Class.TIME: "expires_at",
        },
    ),
    Table(
        "socialaccount.SocialAccount",
        "by which provider the person signs in, as a digest",
        "signing in",
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "user_id"),
        {
            Class.PSEUDONYM: "id user uid",
            Class.DECLARED: "provider",
            Class.STATE: "extra_data",
            Class.TIME: "last_login date_joined",
        },
    ),
    Table(
        "accounts.Session",
        "devices that are signed in, and how they signed in",
        "signing in",
        *(Term.SESSION, End.WITH_ACCOUNT, "user_id"),
        {
            Class.PSEUDONYM: "user_id",
            Class.SECRET: "session_key",
            # Signed by Django; the copy holds what it says about the person, opened.
            Class.SEALED: "session_data",
            Class.TIME: "expire_date created_at seen_at",
        },
    ),
    Table(
        *("admin.LogEntry", "what staff did, by id", "accountability of staff"),
        *(Term.STAFF_LOG, End.WITH_ACCOUNT, "user_id"),
        {
            Class.PSEUDONYM: "id user object_id object_repr",
            Class.STATE: "content_type action_flag change_message",
            Class.TIME: "action_time",
        },
    ),
    Table(
        *("accounts.User_groups", "roles of staff", "permissions"),
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "user_id"),
        {Class.PSEUDONYM: "id user", Class.STATE: "group"},
    ),
    Table(
        *("accounts.User_user_permissions", "permissions of staff", "permissions"),
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "user_id"),
        {Class.PSEUDONYM: "id user", Class.STATE: "permission"},
    ),
    Table(
        "accounts.User",
        "e-mail, password hash, region, 18+ attested, last seen",
        "signing in",
        *(Lasting.ACCOUNT, End.WITH_ACCOUNT, "pk"),
        {
            Class.PSEUDONYM: "id",
            Class.CONTACT: "email",
            Class.SECRET: "password",
            Class.DECLARED: "region is_adult",
            Class.STATE: "is_staff is_superuser is_active",
            Class.TIME: "created_at last_seen_at last_login",
        },
        purposes={
            "region": "showing the consent text of the place where the person lives",
            "is_adult": "keeping minors out",
            "is_staff": "permissions",
            "is_superuser": "permissions",
            "last_seen_at": "erasing accounts that nobody uses",
        },
    ),
    Table(
        *("socialaccount.SocialApp", "never anything", "allauth"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "id provider provider_id name client_id secret key settings"},
    ),
    Table(
        "accounts.ProviderKeys",
        "public keys of Apple and Google",
        "checking identity tokens",
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "provider keys fetched_at wanted_at"},
    ),
    Table(
        *("auth.Group", "names of roles", "permissions"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "id name"},
    ),
    Table(
        *("auth.Group_permissions", "what a role may do", "permissions"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "id group permission"},
    ),
    Table(
        *("auth.Permission", "names of permissions", "permissions"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "id name content_type codename"},
    ),
    Table(
        *("contenttypes.ContentType", "names of tables", "Django"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "id app_label model"},
    ),
)
