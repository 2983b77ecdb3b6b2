"""`migrate`, `grants` and a first member of staff, in one process: a Django start costs a second.

Run by the supervisor as `python -m deploy.stack.migrate`, with the migrator's environment.
"""

import os

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    call_command("migrate", interactive=False)
    call_command("grants")
    from accounts.models import User  # models can be imported only once Django is set up

    if not User.objects.filter(email=os.environ["DJANGO_SUPERUSER_EMAIL"]).exists():
        call_command("createsuperuser", interactive=False)
