"""What belongs to no person belongs to the system owner, and is sealed like everything else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from privacy import keys, vault
from privacy.audit import Reason
from privacy.errors import KeyNotHeld
from privacy.models import Blob
from privacy.plain import Plain
from privacy.retention import Kind


def test_a_canary_of_no_person_is_sealed_read_and_destroyed(born: Any) -> None:
    now = datetime.now(UTC)
    born("keeper")
    keys.ensure_owner(keys.SYSTEM_OWNER, now)
    born("web")
    draft = vault.draft(Kind.CANARY, keys.SYSTEM_OWNER, Plain(b"tweet"), now)
    assert vault.commit([draft])
    assert vault.read(draft.blob_id, now, why=Reason.OWNER).reveal() == b"tweet"
    born("gpu")
    with pytest.raises(KeyNotHeld):
        vault.read(draft.blob_id, now, why=Reason.OWNER)
    assert vault.destroy(Blob.objects.filter(pk=draft.blob_id)) == 1
