"""The plan: every setting of a run with its default, read from one YAML file, all of its problems told at once."""

import os
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PrivateAttr,
    StrictStr,
    ValidationError,
)

from stages.monitor.schema.index_settings import IndexSettings, weight_problems
from stages.plan.plan_settings import (
    AdaptSettings,
    DistilSettings,
    EnsembleSettings,
    FurtherSettings,
    InferSettings,
    Original,
    PseudoLabelSettings,
    RoundsSettings,
    SearchSettings,
    Settings,
)
from stages.plan.validation import search_problems
from stages.plan.yaml_document import Document, Place, read_document, written
from studies.space.dimensions import Space
from transfer.errors import UserError, UserErrors
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.prompt import check_prompt
from transfer.tables.sources import CommentSource, GoldSource


def _distinct_candidates(candidates: list[str]) -> list[str]:
    twice = sorted({name for name in candidates if candidates.count(name) > 1})
    if twice:
        raise ValueError(f"each candidate stands once, got {', '.join(twice)} more often")
    return candidates


def _distinct_labels(labels: list[str]) -> list[str]:
    for label in labels:
        if not label.strip() or label != label.strip():
            raise ValueError(f"label {label!r} is empty or has spaces around it")
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ValueError(f"each label stands once, got {', '.join(twice)} more often")
    return labels


class Plan(Settings):
    """Everything that a run needs to know. Paths are relative to its folder; $NAME comes from the environment."""

    name: str = Field(
        pattern=r"^[\w][\w.-]*$",
        max_length=80,
        description="names the run, its studies and pages: letters, digits, . _ -",
    )
    workspace: str | None = Field(default=None, description="folder for all that a run writes; null: runs/NAME")
    store: str | None = Field(
        default=None, description="database URL; null: sqlite:///WORKSPACE/moodline.db; or postgresql+psycopg://..."
    )
    files: str | None = Field(
        default=None,
        description="folder or fsspec URL for weights and shards, reached by all workers; null: WORKSPACE/files",
    )
    seed: int = Field(default=13, ge=0, lt=2**32, description="everything random follows from it")
    labels: Annotated[list[StrictStr], Field(min_length=2, max_length=1000), AfterValidator(_distinct_labels)] = Field(
        description="the emotions, in the order of all tables"
    )
    original: Original = Field(description="labelled text, from another domain than the comments")
    comments: list[CommentSource] = Field(default=[], description="dated unlabelled comments; none: only stage one")
    gold: GoldSource | None = Field(
        default=None, description="a small human-labelled sample of the comments; strongly advised"
    )
    candidates: Annotated[list[StrictStr], Field(min_length=1), AfterValidator(_distinct_candidates)] = Field(
        description="pretrained encoders: hub names or folders"
    )
    adapt: AdaptSettings | None = Field(
        default=None, description="adapting encoders to the comments' language first; null: not"
    )
    search: SearchSettings = Field(default_factory=SearchSettings, description="stage one")
    pseudo_label: PseudoLabelSettings | None = Field(
        default_factory=PseudoLabelSettings, description="the LLM's part; null: no stage two"
    )
    further: FurtherSettings = Field(default_factory=FurtherSettings, description="stage two")
    rounds: RoundsSettings | None = Field(
        default=None, description="stage two again with comments labelled by its own best trials; null: one round"
    )
    ensemble: EnsembleSettings = Field(default_factory=EnsembleSettings, description="the top trials' vote")
    distil: DistilSettings | None = Field(
        default=None, description="one model that is trained to answer as the ensemble does; null: none"
    )
    final: Literal["auto", "best", "ensemble", "distilled"] = Field(
        default="auto", description="what infer, predict, evaluate and export use; auto: the best on validation"
    )
    infer: InferSettings = Field(default_factory=InferSettings, description="classifying all comments")
    index: IndexSettings = Field(default_factory=IndexSettings, description="the daily line")

    _file: Path = PrivateAttr(default=Path("plan.yaml"))

    @property
    def file(self) -> Path:
        """The plan's own file, absolute."""
        return self._file

    @property
    def base(self) -> Path:
        """The folder that paths in the plan are relative to."""
        return self._file.parent

    @property
    def root(self) -> Path:
        """The workspace, absolute."""
        place = os.path.expanduser(os.path.expandvars(self.workspace or f"runs/{self.name}"))
        return (self.base / place).resolve()

    def space(self, stage: Literal["search", "further"], default: Space) -> dict[str, Any]:
        """The stage's search space: the default with the plan's own dimensions in their place."""
        own = self.search.space if stage == "search" else self.search.space | self.further.space
        return {**default, **own}


def read_plan(path: Path, overrides: Sequence[str] = ()) -> Plan:
    """The plan in a YAML file, with `--set` overrides taken in.

    Raises UserErrors with everything that is wrong in it, in the order of the file.
    """
    document = read_document(path)
    for setting in overrides:
        document.override(setting)
    found = list(_pydantic_problems(document))
    places = {place for place, _ in found}
    found += [(place, text) for place, text in _cross_problems(document.values) if place not in places]
    if found:
        order = list(document.lines)
        found.sort(key=lambda item: _rank(item[0], order))
        problems = [f"{document.where(place)}: {text}" for place, text in found]
        raise UserErrors(f"{path}: {len(problems)} problem{'s' if len(problems) > 1 else ''} in the plan", problems)
    plan = Plan.model_validate(document.values)
    plan._file = path.resolve()
    return plan


def _rank(place: Place, order: list[Place]) -> int:
    for end in range(len(place), 0, -1):
        if place[:end] in order:
            return order.index(place[:end])
    return len(order)


def _pydantic_problems(document: Document) -> Iterator[tuple[Place, str]]:
    try:
        Plan.model_validate(document.values)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            place = _place_in(document.values, fault["loc"], keep_last=fault["type"] in {"missing", "extra_forbidden"})
            yield place, _worded(fault, place)


def _place_in(values: Any, loc: tuple[str | int, ...], *, keep_last: bool) -> Place:
    """The fault's place in the file: pydantic's own, less the names of union branches, which stand in no file."""
    place: list[str | int] = []
    for i, part in enumerate(loc):
        inside = (isinstance(values, dict) and part in values) or (
            isinstance(values, list) and isinstance(part, int) and part < len(values)
        )
        if inside:
            values = values[part]
            place.append(part)
        elif keep_last and i == len(loc) - 1:
            place.append(part)
    return tuple(place)


def _worded(fault: Any, place: Place) -> str:
    if fault["type"] == "missing":
        return "this key is needed, and is not there"
    if fault["type"] == "extra_forbidden":
        known = known_keys(place[:-1])
        near = get_close_matches(str(place[-1]), known, n=1)
        hint = f"\n  did you mean '{near[0]}'?" if near else f"\n  known here: {', '.join(known)}" * bool(known)
        return "unknown key" + hint
    message = str(fault["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    given = fault["input"]
    shown = "" if isinstance(given, dict | list) else f", got {given!r}"
    quote = (
        "\n  YAML reads a bare yes, no, on, off as true or false: put it in quotes" if isinstance(given, bool) else ""
    )
    return message + ("" if "got" in message else shown) + quote


def known_keys(place: Place) -> list[str]:
    """Names of the fields that the plan knows at a place, as a plan writes them."""
    model: Any = Plan
    for i, part in enumerate(place):
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            in_list = i + 1 < len(place) and isinstance(place[i + 1], int)
            model = _model_in(model.model_fields[part].annotation, in_list) if part in model.model_fields else None
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any, in_list: bool = False) -> Any:
    """The pydantic model inside an annotation such as list[Model] or Model | None; with in_list, that of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None if in_list else annotation
    is_list = get_origin(annotation) in {list, tuple}
    return next((found for arg in get_args(annotation) if (found := _model_in(arg, in_list and not is_list))), None)


def _cross_problems(values: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """What no field can know alone: whether labels named elsewhere are the plan's. Looks at raw values, as far as
    they have the right form, so that these problems come together with the fields' own."""
    yield from search_problems(values)
    if values.get("final") == "distilled" and not values.get("distil"):
        yield ("final",), "distilled: no model is distilled\n  add distil: {encoder: NAME}, or take best or ensemble"
    labels = values.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        return
    for at, source in _labelled_sources(values):
        for given, label in source["map"].items() if isinstance(source.get("map"), dict) else []:
            if label not in labels:
                yield (*at, "map", given), f"no label '{label}' in the plan\n  its labels: {', '.join(labels)}"
    yield from _settings_problems(values.get("index"), ("index",), IndexSettings, weight_problems, labels)
    for place, labeller in _labellers(values):
        yield from _settings_problems(labeller, place, LabellerSettings, _prompt_problems, labels)


def _labellers(values: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    pseudo = values.get("pseudo_label")
    pseudo = pseudo if isinstance(pseudo, dict) else {}
    several = pseudo.get("labellers")
    given: list[tuple[Place, Any]] = [(("pseudo_label", "labeller"), pseudo.get("labeller"))]
    given += [
        (("pseudo_label", "labellers", i), one) for i, one in enumerate(several if isinstance(several, list) else [])
    ]
    yield from ((place, labeller) for place, labeller in given if isinstance(labeller, dict))


def _prompt_problems(settings: LabellerSettings, labels: Sequence[str], where: str) -> list[UserError]:
    return check_prompt(settings.prompt, labels, f"{where}.prompt")


def _settings_problems(
    raw: Any, place: Place, model: Any, check: Any, labels: Sequence[str]
) -> Iterator[tuple[Place, str]]:
    """Problems that a settings model's own check finds, put at the key that their text begins with."""
    try:
        settings = model.model_validate(raw or {})
    except ValidationError:
        return
    for problem in check(settings, labels, written(place)):
        key, _, text = str(problem).partition(": ")
        yield tuple(part for part in re.split(r"[.\[\]]+", key) if part), text


def _labelled_sources(values: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    original = values.get("original")
    for part in ("train", "validation", "test"):
        sources = original.get(part) if isinstance(original, dict) else None
        for i, source in enumerate(sources if isinstance(sources, list) else []):
            if isinstance(source, dict):
                yield ("original", part, i), source
    if isinstance(values.get("gold"), dict):
        yield ("gold",), values["gold"]
