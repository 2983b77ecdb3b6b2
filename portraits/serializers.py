"""The shapes of the portraits API. No logic beyond reading rows."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers

from accounts.fields import NO_SUCH, Flag, Whole
from portraits import job_rows
from portraits.change_serializers import SourceSerializer
from portraits.changes import Change
from portraits.formats import Format
from portraits.job_json import image_of
from portraits.models import Item, Job, Photo, ReferenceSet
from portraits.orders import MAX_ITEMS, MAX_PACK, SEEDS, Order, Pack, Wanted
from portraits.outcomes import OUTCOMES
from portraits.quota import Share
from portraits.refusals import sentence_for
from portraits.sizes import Shape
from portraits.style_serializers import PromptSerializer
from privacy.models import Blob
from privacy.retention import DEADLINES, Kind

STYLE_LENGTH = 40
FORMAT = (
    "Of the full picture's file. Left out: what the installation stores; smaller sizes are JPEG."
)
SHAPES = [str(shape) for shape in Shape]
SIZE = (
    "What it is for: `headshot` 1:1, `portrait` 4:5, `classic` 3:4, `story` 9:16, `banner` 16:9. "
    "Left out: as the style says. GET /v1/styles says which a style has."
)
LARGE = "The largest of its shape instead of the smallest."
MAX_SOURCES = 4
MAX_KEEP_HOURS = int(DEADLINES[Kind.REFERENCE].cap.total_seconds() // 3600)


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    """A slot and its verdict."""

    code = serializers.SerializerMethodField()
    detail = serializers.SerializerMethodField()
    hint = serializers.SerializerMethodField()
    expires_at = serializers.SerializerMethodField()

    class Meta:
        model = Photo
        fields = ("slot", "state", "code", "detail", "hint", "quality", "created_at", "expires_at")

    def get_code(self, row: Photo) -> str | None:
        """Why it was refused."""
        return row.code or None

    def get_detail(self, row: Photo) -> str | None:
        """The same as a sentence for the person."""
        return gettext(sentence_for(row.code)) if row.code else None

    def get_hint(self, row: Photo) -> str | None:
        """What would make it better; never a refusal."""
        return gettext(row.hint) if row.hint else None

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

    keep_hours = Whole(
        min_value=1,
        max_value=MAX_KEEP_HOURS,
        required=False,
        allow_null=True,
        help_text="Keep the photos for further jobs, for so many hours. Left out: they are "
        "destroyed with the first job, or after 24 hours.",
    )
    keep = Flag(
        default=False, help_text="Keep them for further jobs for 24 hours, or for `keep_hours`."
    )


class OrderSerializer(serializers.Serializer[Any]):
    """One portrait to paint."""

    style = serializers.SlugField(  # type: ignore[assignment]
        max_length=STYLE_LENGTH,
        required=False,
        help_text="Id of a style. Only an order with a `source` may leave it out: it keeps the"
        " portrait's.",
    )
    seed = Whole(
        min_value=0, max_value=SEEDS - 1, required=False, help_text="Left out: drawn at random."
    )
    reroll_of = serializers.UUIDField(
        required=False,
        help_text="A portrait of the same style that was not liked: this order is free, once for "
        "each portrait, and not for one that was free itself.",
    )
    format = serializers.ChoiceField(
        choices=Format.choices, required=False, help_text=FORMAT, error_messages=NO_SUCH
    )
    prompt = PromptSerializer(
        required=False, help_text="Paint this instead of somebody in photos; needs no consent."
    )
    source = SourceSerializer(  # type: ignore[assignment]
        required=False, help_text="Make it from a portrait of yours."
    )
    size = serializers.ChoiceField(
        choices=SHAPES, required=False, help_text=SIZE, error_messages=NO_SUCH
    )
    large = Flag(default=False, help_text=LARGE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What does not go together is refused, not dropped."""
        source = attrs.get("source")
        if source is None and not attrs.get("style"):
            raise serializers.ValidationError({"style": "Name a style."}, code="required")
        if source is not None and attrs.get("reroll_of"):
            raise serializers.ValidationError(
                {"reroll_of": "A change of a portrait is no re-roll. Leave one of them out."},
                code="source_and_reroll",
            )
        if source is not None and attrs.get("prompt") and source.change is not Change.REFINE:
            raise serializers.ValidationError(
                {"prompt": "Of all changes, only `refine` takes a prompt."},
                code="not_for_this_change",
            )
        if source is not None and source.change is Change.UPSCALE and _sized(attrs):
            raise serializers.ValidationError(
                {"size": "An upscale is four times as large as its portrait. Leave out the size."},
                code="not_for_this_change",
            )
        return attrs


def _sized(attrs: dict[str, Any]) -> bool:
    return bool(attrs.get("size") or attrs.get("large"))


class PackSerializer(serializers.Serializer[Any]):
    """Every style so many times."""

    styles = serializers.ListField(
        child=serializers.SlugField(max_length=STYLE_LENGTH),
        allow_empty=False,
        help_text="Ids of styles, each once.",
    )
    variations = Whole(
        min_value=1, help_text="How many portraits of each style; every one has its own seed."
    )
    format = serializers.ChoiceField(
        choices=Format.choices, required=False, help_text=FORMAT, error_messages=NO_SUCH
    )
    size = serializers.ChoiceField(
        choices=SHAPES, required=False, help_text=SIZE, error_messages=NO_SUCH
    )
    large = Flag(default=False, help_text=LARGE)

    def validate_styles(self, value: list[str]) -> list[str]:
        """More of one style is what variations are for."""
        if len(set(value)) < len(value):
            raise serializers.ValidationError(
                "Name each style once; `variations` says how many portraits of it.",
                code="duplicate_style",
            )
        return value


class NewJobSerializer(serializers.Serializer[Any]):
    """What to paint, from which photos: `items` or a `pack`."""

    reference_set = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Leave it out only where every style takes no photo; then no consent is needed.",
    )
    items = OrderSerializer(
        many=True,
        allow_empty=False,
        required=False,
        help_text=f"At most {MAX_ITEMS} portraits, one by one.",
    )
    pack = PackSerializer(
        required=False, help_text=f"At most {MAX_PACK} portraits: styles times variations."
    )

    def validate_items(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A job has a bounded number of portraits."""
        if len(value) > MAX_ITEMS:
            raise serializers.ValidationError(
                f"Ask for at most {MAX_ITEMS} portraits in one job, or for a pack.",
                code="too_many_items",
            )
        # Each is opened and sealed once more before the answer, and they may be large.
        if len({item["source"].portrait for item in value if "source" in item}) > MAX_SOURCES:
            raise serializers.ValidationError(
                f"Start from at most {MAX_SOURCES} portraits in one job.", code="too_many_sources"
            )
        return value

    def validate_pack(self, value: dict[str, Any]) -> dict[str, Any]:
        """So has a pack."""
        if len(value["styles"]) * value["variations"] > MAX_PACK:
            raise serializers.ValidationError(
                f"A pack has at most {MAX_PACK} portraits: styles times variations.",
                code="pack_too_large",
            )
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two, and not both."""
        if "items" in attrs and "pack" in attrs:
            raise serializers.ValidationError(
                {"pack": "Send items or a pack, not both."}, code="items_and_pack"
            )
        if "items" not in attrs and "pack" not in attrs:
            raise serializers.ValidationError({"items": "Send items or a pack."}, code="required")
        return attrs

    @property
    def wanted(self) -> Wanted:
        """What is ordered, once it is valid."""
        if pack := self.validated_data.get("pack"):
            return Pack(**{**pack, "styles": tuple(pack["styles"]), "size": _shape(pack)})
        return [
            Order(**{"style": "", **item, "size": _shape(item)})
            for item in self.validated_data["items"]
        ]


def _shape(attrs: dict[str, Any]) -> Shape | None:
    return Shape(attrs["size"]) if attrs.get("size") else None


class ShareSerializer(serializers.Serializer[Share]):
    """What is left of one period."""

    limit = serializers.IntegerField()
    used = serializers.IntegerField(
        help_text="What failed, was held back, expired, or was stopped before it began is taken off"
        " when its job ends."
    )
    left = serializers.IntegerField()
    resets_at = serializers.DateTimeField()


class AllowanceSerializer(serializers.Serializer[Any]):
    """How many portraits a person gets, by calendar day and month in UTC."""

    day = ShareSerializer()
    month = ShareSerializer()


class ItemSerializer(serializers.ModelSerializer[Item]):
    """One portrait of a job and how far it is."""

    style = serializers.CharField(source="style.slug")  # type: ignore[assignment]
    code = serializers.SerializerMethodField()
    portrait = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()

    class Meta:
        model = Item
        fields = ("id", "style", "seed", "state", "phase", "percent", "code", "portrait", "image")

    def get_code(self, row: Item) -> str | None:
        """Why there is no portrait."""
        return row.code or None

    def get_portrait(self, row: Item) -> str | None:
        """Id of the finished portrait, if it still exists."""
        return str(row.portrait.id) if hasattr(row, "portrait") else None

    def get_image(self, row: Item) -> str | None:
        """Where its picture is."""
        return image_of(row.portrait.id) if hasattr(row, "portrait") else None


class QueueSerializer(serializers.Serializer[Any]):
    """Where a waiting job stands."""

    position = serializers.IntegerField(help_text="So many portraits come before it.")
    eta_seconds = serializers.IntegerField(
        allow_null=True, help_text="Until all of it is painted; null where nobody can say."
    )
    notice = serializers.CharField(allow_null=True, help_text="Why nobody can say.")


class CountsSerializer(serializers.Serializer[Any]):
    """How many items are in each state."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """One number a state."""
        return {str(state): serializers.IntegerField() for state in Item.State}


class JobLinksSerializer(serializers.Serializer[Any]):
    """Where a client goes from a job."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`self` cannot be written as a field of a class."""
        return {name: serializers.CharField() for name in ("self", "events", "cancel", "archive")}


class JobSerializer(serializers.Serializer[Job]):
    """A job, its items, and how far all of it is. job_json.py writes it; these are its fields."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(Job.State.choices)
    sequence = serializers.IntegerField(
        help_text="Grows with every change. What carries a lower number is older: ignore it."
    )
    percent = serializers.IntegerField(help_text="The mean of the items.")
    lane = serializers.ChoiceField(Job.Lane.choices)
    queue = QueueSerializer(allow_null=True, help_text="Only while it waits.")
    counts = CountsSerializer()
    outcome = serializers.ChoiceField(
        OUTCOMES,
        allow_null=True,
        help_text="Whether every portrait exists, some, or none; null while it is open.",
    )
    reference_set = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(help_text="It expires unless started by then.")
    links = JobLinksSerializer()
    items = ItemSerializer(many=True)

    def to_representation(self, instance: Job) -> dict[str, Any]:
        """As polls and streams say it."""
        return job_rows.of(instance, timezone.now()).body()
