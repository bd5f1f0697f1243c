"""The plan's labellers: each an LLM with one prompt or several, their answers averaged; and all together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.datasets.original_and_gold import Gold
from stages.datasets.run_data import data_of
from stages.plan.plan_settings import PseudoLabelSettings
from stages.plan.schema import Plan
from stages.results.study_results import SearchResult
from stages.runtime.predictor import Predictor, predictor_fingerprint
from stages.runtime.run_context import Run, candidate_location
from stages.runtime.stage_execution import read_result
from storage.records import model_registry
from studies.legacy_names import legacy_model_name
from transfer.corpus.labelled import Labelled
from transfer.device.device import device_name
from transfer.errors import UserError
from transfer.labellers.few_shot_examples import Example, FewShotExamples, SampledExamples
from transfer.labellers.few_shot_selection import sample_examples
from transfer.labellers.labeller import Labeller, identity_of
from transfer.labellers.labeller_factory import make_labeller
from transfer.labellers.labeller_settings import LabellerSettings, require_labeller
from transfer.labellers.prompt import PromptSettings, variants
from transfer.labellers.teacher_labeller import TeacherLabeller
from transfer.metrics.scores import DIRECTIONS


@dataclass(frozen=True)
class LabellerFacts:
    """What is known of a labeller when its model is unloaded. variants: identity and prompt of each prompt variant."""

    name: str
    identity: str
    settings: LabellerSettings
    variants: tuple[tuple[str, PromptSettings], ...]


@dataclass(frozen=True)
class LabellerEnsemble:
    """One labeller of the plan. where: its key there. variants: the same LLM with each of its prompts, at least one.

    Its answer to a comment is the mean of their answers; see transfer.labellers.mean_answer.
    """

    where: str
    settings: LabellerSettings
    prompts: tuple[PromptSettings, ...]
    variants: tuple[Labeller, ...]

    @cached_property
    def identity(self) -> str:
        """That of the only variant, or one of its own."""
        return combined_identity([variant.identity for variant in self.variants])

    @property
    def description(self) -> dict[str, Any]:
        """What the store keeps."""
        if len(self.variants) == 1:
            return self.description_of(self.variants[0])
        members = [variant.identity for variant in self.variants]
        shared = {name: self.variants[0].description.get(name) for name in ("base_url", "labels")}
        return {"kind": "mean", "model": f"{self.name}, {len(self.variants)} prompts", "members": members, **shared}

    def description_of(self, variant: Labeller) -> dict[str, Any]:
        """A variant's own, its model as the plan names it: where a folder lies on this machine does not matter."""
        return {**variant.description, "model": self.settings.model or variant.description["model"]}

    @property
    def name(self) -> str:
        """For tables."""
        return str(self.settings.model or self.variants[0].description.get("model"))

    @property
    def facts(self) -> LabellerFacts:
        """See LabellerFacts."""
        pairs = zip((variant.identity for variant in self.variants), self.prompts, strict=True)
        return LabellerFacts(self.name, self.identity, self.settings, tuple(pairs))


def combined_identity(identities: Sequence[str]) -> str:
    """The identity of several labellers whose answers are averaged, in whatever order; of one, its own."""
    return identities[0] if len(identities) == 1 else identity_of({"kind": "mean", "members": sorted(identities)})


def combined_description(ensembles: Sequence[LabellerEnsemble]) -> dict[str, Any]:
    """The description of several labellers whose answers are averaged; of one, its own."""
    known = {ensemble.identity: ensemble.description for ensemble in ensembles}
    descriptions = list(known.values())
    if len(descriptions) == 1:
        return descriptions[0]
    names = " + ".join(str(description["model"]) for description in descriptions)
    return {"kind": "mean", "model": names, "members": list(known), "labels": descriptions[0]["labels"]}


def labeller_ensembles(run: Run, gold: Gold | None) -> list[LabellerEnsemble]:
    """The plan's labellers, not yet loaded.

    Raises UserError where one cannot be had, or is named twice; for a teacher where stage one is not done.
    """
    found = [_ensemble(run, where, settings, gold) for where, settings in named_labellers(run.plan)]
    places: dict[str, str] = {}
    for ensemble in found:
        first = places.setdefault(ensemble.identity, ensemble.where)
        if first != ensemble.where:
            raise UserError(f"{ensemble.where}: asks the same as {first}", *_twice(ensemble, first, found))
    return found


def require_labellers(plan: Plan) -> None:
    """Raises UserError for a labeller that cannot be had: before hours of stage one. Teachers are not made yet."""
    for where, settings in named_labellers(plan):
        _require_gold(plan, settings.prompt, where)
        if settings.teacher is not None:
            require_labeller(settings, plan.labels, where)
        else:
            _labeller(plan, where, settings, None)
            if settings.base_url is None:
                _require_bits(settings, where)


def _require_bits(settings: LabellerSettings, where: str) -> None:
    """Raises UserError where weights cannot be had in the plan's bits here."""
    import torch

    from transfer.labellers.local.weight_quantization import quantised

    quantised(settings.quantisation, device_name(), torch.float32, where)


def named_labellers(plan: Plan) -> Iterator[tuple[str, LabellerSettings]]:
    """Each labeller with its key in the plan: `labellers` where they are given, else the one `labeller`."""
    settings = plan.pseudo_label or PseudoLabelSettings()
    if settings.labellers is None:
        yield "pseudo_label.labeller", settings.labeller
    for i, labeller in enumerate(settings.labellers or ()):
        yield f"pseudo_label.labellers[{i}]", labeller


def example_rows(
    plan: Plan, how: SampledExamples, gold: Gold | None, original: Callable[[], Labelled]
) -> list[Example]:
    """What a prompt's examples are from: gold's tune half, or what `original` reads, the original training data."""
    if how.source == "gold":
        return _examples(plan, gold.tune) if gold else []
    return _examples(plan, original())


def _twice(ensemble: LabellerEnsemble, first: str, found: Sequence[LabellerEnsemble]) -> tuple[str, ...]:
    """What to do about a labeller that is named twice."""
    if any(one.settings.tuning for one in found if one.where in {first, ensemble.where}):
        return (
            "a labeller whose tuning does not gain is the plain one: keep one of them;",
            "its tuning is compared with the plain prompt in any case",
        )
    return ("one labeller twice agrees with itself: remove it",)


def _ensemble(run: Run, where: str, settings: LabellerSettings, gold: Gold | None) -> LabellerEnsemble:
    require_labeller(settings, run.plan.labels, where)  # the whole prompt, before it is split into its variants
    if settings.teacher is not None:
        return LabellerEnsemble(where, settings, (settings.prompt,), (teacher_of(run),))
    _require_gold(run.plan, settings.prompt, where)
    examples: FewShotExamples | None = None
    how = settings.prompt.examples
    if isinstance(how, SampledExamples):
        examples = sample_examples(
            how, example_rows(run.plan, how, gold, lambda: data_of(run).original.train), run.plan.labels, run.plan.seed
        )
        if not examples.metadata:  # the same for all comments: as if the plan wrote them out
            written = settings.prompt.model_copy(update={"examples": examples.for_texts([""])[0]})
            settings = _with_prompt(settings, written)
            examples = None
    prompts = variants(settings.prompt, run.plan.labels)
    first = _labeller(run.plan, where, _with_prompt(settings, prompts[0]), examples)
    others = (first.with_prompt(prompt) for prompt in prompts[1:])
    return LabellerEnsemble(where, settings, tuple(prompts), (first, *others))


def _labeller(plan: Plan, where: str, settings: LabellerSettings, examples: FewShotExamples | None) -> Labeller:
    if settings.base_url is None and settings.model is not None:
        settings = settings.model_copy(update={"model": candidate_location(plan, settings.model)})
    return make_labeller(settings, plan.labels, device_name(), where, examples)


def _with_prompt(settings: LabellerSettings, prompt: PromptSettings) -> LabellerSettings:
    return settings.model_copy(update={"prompt": prompt})


def _examples(plan: Plan, rows: Labelled) -> list[Example]:
    return [Example(text=text, label=plan.labels[i]) for text, i in zip(rows.texts, rows.labels, strict=True)]


def _require_gold(plan: Plan, prompt: PromptSettings, where: str) -> None:
    """Raises UserError where examples are to come from gold, and the plan has none."""
    how = prompt.examples
    if isinstance(how, SampledExamples) and how.source == "gold" and plan.gold is None:
        raise UserError(
            f"{where}.prompt.examples.from: gold, and the plan names none",
            "label some with moodline annotate, or draw from: original",
        )


def teacher_of(run: Run) -> TeacherLabeller:
    """The mean of the best `ensemble.top` kept trials of stage one, with equal weights; loaded when it first answers.

    Raises UserError where stage one is not done, or was done with another plan or data.
    """
    read_result(run, SearchResult)
    sign = 1 if DIRECTIONS[run.plan.search.metric] == "maximize" else -1
    models = model_registry.models(run.engine, run.plan.name, stage="search")
    kept = [record for record in models if record.value is not None]
    ranked = sorted(kept, key=lambda record: (-sign * (record.value or 0.0), record.name))
    names = [record.name for record in ranked[: run.plan.ensemble.top]]
    predictor = Predictor(run, f"mean of {len(names)}", names)
    members = {legacy_model_name(record.name): predictor_fingerprint([record], "one") for record in predictor.records}
    return TeacherLabeller(run.plan.labels, members, predictor.probabilities, predictor.members)


def stage_one_winner(run: Run) -> Predictor:
    """Stage one's winner alone. Raises UserError as teacher_of does."""
    name = read_result(run, SearchResult).winner.name
    return Predictor(run, name, [name])
