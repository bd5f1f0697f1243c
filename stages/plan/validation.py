"""What is wrong with a plan's searches that no key can know alone: spaces with their conditions, pruners with seeds."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from stages.plan.yaml_document import Place
from studies.algorithms import WILCOXON_FEWEST_SEEDS, WILCOXON_P
from studies.space.defaults import default_mixing, default_space
from studies.space.dimensions import Dimension, DimensionField, most
from studies.space.space_validation import space_problems

DIMENSION: TypeAdapter[Dimension] = TypeAdapter(DimensionField)
# More layers than any encoder has: how many a candidate has is known when it is loaded.
LAYERS = 400


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
    except ValueError:  # a word; told of already
        return
    if wanted > keep:
        where = ("further", "space", "start")
        yield where, f"start {wanted} is more than the {keep} trials whose weights stage one keeps\n  raise search.keep"


def _dimensions(raw: Any) -> dict[str, Dimension]:
    """The dimensions that are written rightly; the others are told of already."""
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
