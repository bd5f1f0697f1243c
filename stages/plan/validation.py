"""What is wrong with a plan, each problem with its place in the file: fields, and what no field can know alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from stages.monitor.schema.index_settings import IndexSettings, weight_problems
from stages.plan.yaml_document import Document, Place, written
from studies.sampling.algorithm_names import WILCOXON_FEWEST_SEEDS, WILCOXON_P
from studies.space.defaults import default_mixing, default_space
from studies.space.dimensions import Dimension, DimensionField, most
from studies.space.space_validation import space_problems
from transfer.errors import UserError
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.prompt import check_prompt

DIMENSION: TypeAdapter[Dimension] = TypeAdapter(DimensionField)
# More layers than any encoder has: how many a candidate has is known when it is loaded.
LAYERS = 400


def plan_problems(document: Document, plan: type[BaseModel]) -> list[str]:
    """Everything that is wrong with a document, in its order, each with its line. plan: the model of the whole."""
    found = list(_field_problems(document, plan))
    places = {place for place, _ in found}
    found += [(place, text) for place, text in _cross_problems(document.values) if place not in places]
    order = list(document.lines)
    found.sort(key=lambda problem: _rank(problem[0], order))
    return [f"{document.where(place)}: {text}" for place, text in found]


def search_problems(values: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Problems in `search`, `further` and `distil`, each at its key. Looks at raw values, as far as they have the right
    form."""
    whole = default_space(LAYERS)
    for stage, mixes in (("search", False), ("further", True)):
        settings = values.get(stage)
        settings = settings if isinstance(settings, dict) else {}
        own = _dimensions(settings.get("space"))
        whole = {**whole, **(default_mixing() if mixes else {}), **own}
        for place, text in space_problems(own, whole, mixes=mixes):
            yield (stage, "space", *place), text
        yield from _wilcoxon_problems(stage, settings)
    distil = values.get("distil")
    own = _dimensions(distil.get("space")) if isinstance(distil, dict) else {}
    for place, text in space_problems(own, {**default_space(LAYERS), **own}, mixes=False):
        yield ("distil", "space", *place), text
    yield from _start_problems(values)
    for key in ("adapt", "rounds"):
        if isinstance(values.get(key), dict) and not values.get("comments"):
            yield (key,), f"it reads comments, and the plan has none\n  name their files, or set {key}: null"


def _start_problems(values: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Stage two starts from weights that stage one keeps."""
    search, further = ({**part} if isinstance(part := values.get(name), dict) else {} for name in ("search", "further"))
    start, keep = _dimensions(further.get("space")).get("start"), search.get("keep", 3)
    if start is None or not isinstance(keep, int):
        return
    try:
        wanted = most(start)
    except ValueError:  # a word; reported already
        return
    if wanted > keep:
        where = ("further", "space", "start")
        yield where, f"start {wanted} is more than the {keep} trials whose weights stage one keeps\n  raise search.keep"


def _dimensions(raw: Any) -> dict[str, Dimension]:
    """The dimensions that are written rightly; the others are reported already."""
    found: dict[str, Dimension] = {}
    for name, value in raw.items() if isinstance(raw, dict) else ():
        try:
            found[name] = DIMENSION.validate_python(value)
        except ValidationError:
            continue
    return found


def _wilcoxon_problems(stage: str, settings: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    seeds = settings.get("seeds", 1)
    if settings.get("pruner") == "wilcoxon" and isinstance(seeds, int) and seeds < WILCOXON_FEWEST_SEEDS:
        yield (
            (stage, "pruner"),
            f"wilcoxon compares trials seed by seed, and stops none before seed {WILCOXON_FEWEST_SEEDS - 1} "
            f"(p < {WILCOXON_P:g}), got {stage}.seeds {seeds}\n"
            f"  set {stage}.seeds to {WILCOXON_FEWEST_SEEDS} or more, or take pruner median, which goes by epochs",
        )


def _rank(place: Place, order: list[Place]) -> int:
    for end in range(len(place), 0, -1):
        if place[:end] in order:
            return order.index(place[:end])
    return len(order)


def _field_problems(document: Document, plan: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    try:
        plan.model_validate(document.values)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            place = _place_in(document.values, fault["loc"], keep_last=fault["type"] in {"missing", "extra_forbidden"})
            yield place, _worded(fault, place, known_keys(plan, place[:-1]))


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


def _worded(fault: Any, place: Place, known: list[str]) -> str:
    if fault["type"] == "missing":
        return "this key is needed, and is not there"
    if fault["type"] == "extra_forbidden":
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


def known_keys(plan: type[BaseModel], place: Place) -> list[str]:
    """Names of the fields that the plan knows at a place, as a plan writes them."""
    model: Any = plan
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
        renamed = source.get("map")
        for given, label in renamed.items() if isinstance(renamed, dict) else ():
            if label not in labels:
                yield (*at, "map", given), f"no label '{label}' in the plan\n  its labels: {', '.join(labels)}"
    yield from _settings_problems(values.get("index"), ("index",), IndexSettings, weight_problems, labels)
    for place, labeller in _labellers(values):
        yield from _settings_problems(labeller, place, LabellerSettings, _prompt_problems, labels)


def _labellers(values: dict[str, Any]) -> Iterator[tuple[Place, Mapping[str, object]]]:
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


def _labelled_sources(values: dict[str, Any]) -> Iterator[tuple[Place, Mapping[str, object]]]:
    original = values.get("original")
    for part in ("train", "validation", "test"):
        sources = original.get(part) if isinstance(original, dict) else None
        for i, source in enumerate(sources if isinstance(sources, list) else []):
            if isinstance(source, dict):
                yield ("original", part, i), source
    if isinstance(values.get("gold"), dict):
        yield ("gold",), values["gold"]
