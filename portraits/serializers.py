"""The shapes of the portraits API. No logic beyond reading rows."""

from typing import Any

from django.templatetags.static import static
from rest_framework import serializers

from portraits.models import Item, Job, Photo, Portrait, ReferenceSet, Rendition, Style
from privacy.models import Blob
from privacy.retention import DEADLINES, Kind

MAX_ITEMS = 20
MAX_KEEP_HOURS = int(DEADLINES[Kind.REFERENCE].cap.total_seconds() // 3600)


class StyleSerializer(serializers.ModelSerializer[Style]):
    """A style, and whether a worker that can paint it is running."""

    id = serializers.CharField(source="slug")
    preview = serializers.SerializerMethodField()
    available = serializers.SerializerMethodField()
    notice = serializers.SerializerMethodField()

    class Meta:
        model = Style
        fields = (
            "id",
            "version",
            "name",
            "description",
            "engine",
            "preview",
            "available",
            "notice",
        )

    def get_preview(self, row: Style) -> str | None:
        """Address of a picture painted from a drawn subject who is no one."""
        return static(row.preview) if row.preview else None

    def get_available(self, row: Style) -> bool:
        """Whether a worker with its engine is running now."""
        return row.engine in self.context["engines"]

    def get_notice(self, row: Style) -> str | None:
        """A sentence when it is not."""
        if self.get_available(row):
            return None
        return f"No running worker has the engine {row.engine}; a job for this style would wait."


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    """A slot and its verdict."""

    code = serializers.SerializerMethodField()
    hint = serializers.SerializerMethodField()
    expires_at = serializers.SerializerMethodField()

    class Meta:
        model = Photo
        fields = ("slot", "state", "code", "hint", "quality", "created_at", "expires_at")

    def get_code(self, row: Photo) -> str | None:
        """Why it was refused."""
        return row.code or None

    def get_hint(self, row: Photo) -> str | None:
        """What would make it better; never a refusal."""
        return row.hint or None

    def get_expires_at(self, row: Photo) -> str | None:
        """When the bytes end; none are held after a refusal."""
        blob = row.reference or row.upload
        if blob is None or blob.state != Blob.State.STORED:
            return None
        return serializers.DateTimeField().to_representation(blob.expires_at)


class ReferenceSetSerializer(serializers.ModelSerializer[ReferenceSet]):
    """A set and its photos."""

    photos = PhotoSerializer(many=True)

    class Meta:
        model = ReferenceSet
        fields = ("id", "state", "keep", "created_at", "expires_at", "photos")


class NewReferenceSetSerializer(serializers.Serializer[Any]):
    """How long the photos may stay."""

    keep_hours = serializers.IntegerField(
        min_value=1,
        max_value=MAX_KEEP_HOURS,
        required=False,
        allow_null=True,
        help_text="Keep the photos for further jobs, for so many hours. Left out: they are "
        "destroyed with the first job, or after 24 hours.",
    )
    keep = serializers.BooleanField(
        default=False, help_text="Keep them for further jobs for 24 hours, or for `keep_hours`."
    )


class OrderSerializer(serializers.Serializer[Any]):
    """One portrait to paint."""

    style = serializers.SlugField(help_text="Id of a style.")  # type: ignore[assignment]
    seed = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="Left out: drawn at random."
    )


class NewJobSerializer(serializers.Serializer[Any]):
    """What to paint, from which photos."""

    reference_set = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Leave it out only where every style takes no photo; then no consent is needed.",
    )
    items = OrderSerializer(many=True, allow_empty=False)

    def validate_items(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A job has a bounded number of portraits."""
        if len(value) > MAX_ITEMS:
            raise serializers.ValidationError(
                f"Ask for at most {MAX_ITEMS} portraits in one job.", code="too_many_items"
            )
        return value


class ItemSerializer(serializers.ModelSerializer[Item]):
    """One portrait of a job and how far it is."""

    style = serializers.CharField(source="style.slug")  # type: ignore[assignment]
    code = serializers.SerializerMethodField()
    portrait = serializers.SerializerMethodField()

    class Meta:
        model = Item
        fields = ("id", "style", "seed", "state", "phase", "percent", "code", "portrait")

    def get_code(self, row: Item) -> str | None:
        """Why there is no portrait."""
        return row.code or None

    def get_portrait(self, row: Item) -> str | None:
        """Id of the finished portrait, if it still exists."""
        return str(row.portrait.id) if hasattr(row, "portrait") else None


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job, its items, and how far all of it is."""

    items = ItemSerializer(many=True)
    percent = serializers.SerializerMethodField()
    reference_set = serializers.UUIDField(source="references_id", allow_null=True)
    expires_at = serializers.DateTimeField(
        source="start_by", help_text="It expires unless started by then."
    )

    class Meta:
        model = Job
        fields = (
            "id",
            "state",
            "percent",
            "reference_set",
            "items",
            "created_at",
            "ended_at",
            "expires_at",
        )

    def get_percent(self, row: Job) -> int:
        """Mean of the items."""
        items = list(row.items.all())
        ended = [100 if item.state not in Item.OPEN else item.percent for item in items]
        return sum(ended) // max(1, len(ended))


class RenditionSerializer(serializers.ModelSerializer[Rendition]):
    """One size of a portrait."""

    class Meta:
        model = Rendition
        fields = ("name", "width", "height", "media_type")


class PortraitSerializer(serializers.ModelSerializer[Portrait]):
    """A portrait's metadata; the picture is at `image`."""

    style = serializers.CharField(source="item.style.slug")  # type: ignore[assignment]
    style_version = serializers.IntegerField(source="item.style.version")
    seed = serializers.IntegerField(source="item.seed")
    job = serializers.UUIDField(source="item.job_id")
    expires_at = serializers.DateTimeField(source="blob.expires_at")
    image = serializers.SerializerMethodField()
    renditions = RenditionSerializer(many=True)

    class Meta:
        model = Portrait
        fields = (
            "id",
            "style",
            "style_version",
            "seed",
            "job",
            "image",
            "renditions",
            "created_at",
            "expires_at",
        )

    def get_image(self, row: Portrait) -> str:
        """Where the picture is."""
        return f"/v1/portraits/{row.id}/image"


class DeadlineSerializer(serializers.Serializer[Any]):
    """Keeping a portrait shorter or longer."""

    expires_at = serializers.DateTimeField(help_text="At most twelve months after it was painted.")
