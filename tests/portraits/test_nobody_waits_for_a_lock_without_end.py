"""A row that somebody holds for ever costs a person a wait and a 503, and the web no thread."""

from __future__ import annotations

import time
from typing import Any


def test_a_lock_that_is_not_had_is_answered_with_503(web: Any) -> None:
    from django.db import transaction

    from privacy.models import OwnerKey
    from tests.portraits.making import consenting
    from tests.portraits.serving import session

    who = consenting()
    with web.client(session(who)) as http:
        with transaction.atomic():
            OwnerKey.objects.select_for_update().get(pk=who)
            began = time.monotonic()
            refused = http.post("/v1/reference-sets", json={})
            waited = time.monotonic() - began
        assert refused.status_code == 503, refused.text
        assert refused.json()["errors"][0]["code"] == "database_unavailable"
        assert refused.headers["retry-after"] == "5"
        assert 9 < waited < 25
        assert http.post("/v1/reference-sets", json={}).status_code == 201
