"""The shapes of finished portraits. No logic beyond reading rows."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portraits.job_json import image_of
from portraits.models import Item, Portrait, Rendition
from privacy import retention

LINKS: Final = ("image", "link", "receipt", "report")


class RenditionSerializer(serializers.ModelSerializer[Rendition]):
    """One size of a portrait."""

    class Meta:
        model = Rendition
        fields = ("name", "width", "height", "media_type")


class PortraitLinksSerializer(serializers.Serializer[Any]):
    """Where a client goes from a portrait."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`self` cannot be written as a field of a class."""
        return {name: serializers.CharField() for name in ("self", *LINKS, "job")}


class PortraitSerializer(serializers.ModelSerializer[Portrait]):
    """A portrait's metadata; the picture is at `image`."""

    style = serializers.CharField(source="item.style.slug")  # type: ignore[assignment]
    style_version = serializers.IntegerField(source="item.style.version")
    seed = serializers.IntegerField(source="item.seed")
    job = serializers.UUIDField(source="item.job_id")
    task = serializers.ChoiceField(Item.Task.choices, source="item.task")
    made_from = serializers.UUIDField(
        source="item.made_from_id",
        allow_null=True,
        help_text="The portrait that it was made from, while that exists.",
    )
    expires_at = serializers.DateTimeField(source="blob.expires_at")
    expires_soon = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()
    renditions = RenditionSerializer(many=True)

    class Meta:
        model = Portrait
        fields = (
            "id",
            "style",
            "style_version",
            "seed",
            "job",
            "task",
            "made_from",
            "image",
            "links",
            "renditions",
            "created_at",
            "expires_at",
            "expires_soon",
        )

    def get_expires_soon(self, row: Portrait) -> bool:
        """Whether it is destroyed within three days: the owner is told by mail, too."""
        return retention.is_near(row.blob.expires_at, timezone.now())

    def get_image(self, row: Portrait) -> str:
        """Where the picture is."""
        return image_of(row.id)

    @extend_schema_field(PortraitLinksSerializer)
    def get_links(self, row: Portrait) -> dict[str, str]:
        """Where a client goes from here."""
        own = f"/v1/portraits/{row.id}"
        return {
            "self": own,
            **{name: f"{own}/{name}" for name in LINKS},
            "job": f"/v1/jobs/{row.item.job_id}",
        }


class PortraitReceiptSerializer(serializers.Serializer[Any]):
    """How a portrait was made, signed; deploy/docs/verify_receipt.py checks it."""

    statement = serializers.DictField()
    signature = serializers.CharField()


class DeadlineSerializer(serializers.Serializer[Any]):
    """Keeping a portrait shorter or longer."""

    expires_at = serializers.DateTimeField(help_text="At most twelve months after it was painted.")
