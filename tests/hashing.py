"""Passwords hashed as in production but for what it costs, which few tests need to pay."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Quick(Argon2PasswordHasher):
    """Argon2id, once over 8 kB. Whoever measures how long an answer takes uses the usual one."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
