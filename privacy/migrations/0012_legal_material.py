"""What the keeper may read of a legal order that two officers have agreed to, asked of PostgreSQL.

The keeper's login may read no capsule and no account. This function may, being its maker's, and
looks first whether the order names two different officers and is not sealed yet.
"""

from datetime import timedelta

from django.db import migrations

# Kinds 3 and 4 are portraits and what belongs to them; recipient 2 is the owner's key (FORMAT.md).
MAKE = """
CREATE FUNCTION privacy_legal_material(asked uuid)
RETURNS TABLE (item_sort text, item_id uuid, item_said jsonb, item_enc bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    who uuid;
BEGIN
    SELECT o.subject_id INTO who FROM public.privacy_legalorder o
    WHERE o.id = asked AND o.state = 'approved' AND o.second_id <> o.first_id;
    IF who IS NULL THEN
        RAISE EXCEPTION 'two officers have to agree to a legal order first'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
        SELECT 'account', u.id,
            jsonb_build_object(
                'email', u.email, 'region', u.region, 'is_adult', u.is_adult,
                'created_at', u.created_at, 'last_seen_at', u.last_seen_at),
            NULL::bytea
        FROM public.accounts_user u WHERE u.id = who;
    RETURN QUERY
        SELECT 'blob', b.id,
            jsonb_build_object('kind', b.kind, 'name', b.name, 'sha256', encode(b.sha256, 'hex')),
            c.enc
        FROM public.privacy_blob b JOIN public.privacy_capsule c ON c.blob_id = b.id
        WHERE b.owner_id = who AND b.state = 'stored' AND b.expires_at > now()
            AND b.recipient = 2 AND b.kind IN (3, 4)
        ORDER BY b.id;
END
$$;
REVOKE ALL ON FUNCTION privacy_legal_material(uuid) FROM PUBLIC;
"""
UNMAKE = "DROP FUNCTION privacy_legal_material(uuid);"


def open_cases(apps, schema_editor):
    """Reports of a face that are still open become requests of the desk."""
    Case = apps.get_model("privacy", "Case")
    open_ones = apps.get_model("privacy", "FaceClaim").objects.filter(state="open")
    Case.objects.bulk_create(
        Case(
            kind="face",
            source="api",
            language=claim.language,
            claim_id=claim.pk,
            received_at=claim.received_at,
            first_due_at=claim.due_at,
            due_at=claim.received_at + timedelta(days=28),
        )
        for claim in open_ones.iterator()
    )


class Migration(migrations.Migration):

    dependencies = [
        ("privacy", "0011_requests_and_orders"),
    ]

    operations = [
        migrations.RunSQL(MAKE, UNMAKE),
        migrations.RunPython(open_cases, migrations.RunPython.noop, elidable=True),
    ]
