"""`python -m tests.webhooks.dying`: a courier of the unit database, for tests that kill it."""

import sys

import django

django.setup()

from workers import courier  # noqa: E402 - Django must be ready first

courier.start()
sys.stdout.write("started\n")
sys.stdout.flush()
courier.run()
