"""The shapes of what can be asked for: styles, and prompts where there is no photo."""

from typing import Any, Final

from django.templatetags.static import static
from django.utils.translation import gettext
from rest_framework import serializers

from accounts.fields import Text
from portraits import abilities
from portraits.models import Halt, Style
from portraits.prompts import CHOICES, WORDS, Prompt
from portraits.recipes import Recipe
from portraits.sizes import shapes

# Told through gettext, when somebody asks.
STOPPED: Final[dict[str, str]] = {
    Halt.Kind.PAUSED: "This style is paused by the operator; a job for it would wait.",
    Halt.Kind.DRAINING: "This style takes no orders for the moment.",
}


class StyleSerializer(serializers.ModelSerializer[Style]):
    """A style, and whether a worker that can paint it is running."""

    id = serializers.CharField(source="slug")
    name = serializers.SerializerMethodField()
    description = serializers.SerializerMethodField()
    preview = serializers.SerializerMethodField()
    available = serializers.SerializerMethodField()
    notice = serializers.SerializerMethodField()
    tasks = serializers.SerializerMethodField()
    takes_words = serializers.SerializerMethodField()
    needs_photos = serializers.SerializerMethodField()
    sizes = serializers.SerializerMethodField()

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
            "tasks",
            "takes_words",
            "needs_photos",
            "sizes",
        )

    def get_name(self, row: Style) -> str:
        """In the language that was asked for, where deploy/locale knows it."""
        return gettext(row.name)

    def get_description(self, row: Style) -> str:
        """So is the description."""
        # Of nothing, gettext would say its catalogue's own header.
        return gettext(row.description) if row.description else ""

    def get_preview(self, row: Style) -> str | None:
        """Address of a picture painted from a drawn subject who is no one."""
        return static(row.preview) if row.preview else None

    def get_available(self, row: Style) -> bool:
        """Whether it can be ordered and a worker with its engine is painting now."""
        return row.engine in self.context["engines"] and row.engine not in self.context["halts"]

    def get_notice(self, row: Style) -> str | None:
        """A sentence when it is not."""
        if self.get_available(row):
            return None
        if halt := self.context["halts"].get(row.engine):
            return gettext(STOPPED[halt])
        said = gettext(
            "No running worker has the engine %(engine)s; a job for this style would wait."
        )
        return said % {"engine": row.engine}

    def get_tasks(self, row: Style) -> list[str]:
        """What its engine can do: `identity` takes photos, `text` takes a prompt, `edit` changes a
        portrait, `upscale` enlarges one."""
        return list(abilities.of(row.engine).tasks)

    def get_takes_words(self, row: Style) -> bool:
        """Whether a prompt may have words of one's own beside its choices."""
        return abilities.of(row.engine).words

    def get_needs_photos(self, row: Style) -> bool:
        """Whether nothing can be painted without photos: neither by a prompt nor by itself."""
        takes_prompt = "text" in abilities.of(row.engine).tasks
        return bool(Recipe.from_json(row.recipe).references) and not takes_prompt

    def get_sizes(self, row: Style) -> list[str]:
        """Names that an order can give for `size`."""
        return [str(shape) for shape in shapes(abilities.of(row.engine).sizes)]


class PromptChoicesSerializer(serializers.Serializer[Any]):
    """What a prompt can choose from."""

    choices = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Values by choice; the first of each is taken where none is sent.",
    )
    words_max_length = serializers.IntegerField(help_text="Characters of one's own text.")

    @classmethod
    def lists(cls) -> dict[str, Any]:
        """The lists, which are the same for everybody."""
        choices = {name: list(values) for name, values in CHOICES.items()}
        return {"choices": choices, "words_max_length": WORDS}


class PromptSerializer(serializers.Serializer[Any]):
    """Whom to paint where there is no photo. GET /v1/prompt-choices lists the values."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """One field a choice, and words."""
        # The sentence of REST framework would repeat what was sent.
        said = {"invalid_choice": "There is no such value. GET /v1/prompt-choices lists them."}
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            name: serializers.ChoiceField(values, required=False, error_messages={**said})
            for name, values in CHOICES.items()
        }
        fields["words"] = Text(
            required=False, allow_blank=True, help_text=f"At most {WORDS} characters of your own."
        )
        return fields

    def to_internal_value(self, data: Any) -> Prompt:
        """The prompt, with what was not chosen filled in."""
        chosen = dict(super().to_internal_value(data))
        words = chosen.pop("words", "")
        return Prompt.of(chosen, words)

    def to_representation(self, instance: Prompt) -> dict[str, Any]:
        """What was asked for; of a change, the words alone."""
        return {**dict(instance.choices), "words": instance.words}
