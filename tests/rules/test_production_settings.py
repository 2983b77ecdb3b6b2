"""What only production switches on is on there: cookies, TLS, no debugging."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from deploy.env import ROOT

NAMES = (
    *("DEBUG", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY"),
    *("SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH"),
    *("CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_SAMESITE"),
    *("CSRF_COOKIE_DOMAIN", "CSRF_COOKIE_PATH", "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT"),
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
)
SCRIPT = (
    "import json; from django.conf import settings;"
    f"print(json.dumps({{name: getattr(settings, name) for name in {NAMES!r}}}))"
)


@pytest.fixture(scope="module")
def settings() -> Any:
    """As the web in production has them."""
    own = {"SITTER_PRODUCTION": "true", "SITTER_ROLE": "web", "SITTER_SECRET_KEY": "k" * 40}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_nothing_is_debugged(settings: Any) -> None:
    assert settings["DEBUG"] is False


@pytest.mark.parametrize("cookie", ["SESSION", "CSRF"])
def test_cookies_of_the_admin_belong_to_one_host_over_tls(settings: Any, cookie: str) -> None:
    told = {name: settings[f"{cookie}_COOKIE_{name}"] for name in ("SECURE", "HTTPONLY")}
    assert told == {"SECURE": True, "HTTPONLY": True}
    assert settings[f"{cookie}_COOKIE_SAMESITE"] in ("Lax", "Strict")
    assert settings[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
    # A browser refuses the prefix with a domain or another path.
    assert settings[f"{cookie}_COOKIE_DOMAIN"] is None
    assert settings[f"{cookie}_COOKIE_PATH"] == "/"


def test_browsers_are_told_to_stay_with_tls(settings: Any) -> None:
    assert settings["SECURE_HSTS_SECONDS"] >= 365 * 24 * 3600
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True


def test_nothing_is_redirected_to_tls(settings: Any) -> None:
    """An app that was told http by mistake must notice, and not send its token twice."""
    assert settings["SECURE_SSL_REDIRECT"] is False
