"""The plan's labellers: each an LLM asked in one way or several, all of them together the one that stage two reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.datasets.original_and_gold import Gold, read_original
from stages.label.self_training import teacher_of
from stages.plan.plan_settings import PseudoLabelSettings
from stages.plan.schema import Plan
from stages.runtime.run_context import Run, candidate_location
from transfer.corpus.labelled import Labelled
from transfer.device.device import device_name
from transfer.errors import UserError
from transfer.labellers.few_shot_examples import Example, FewShotExamples, SampledExamples
from transfer.labellers.few_shot_selection import sample_examples
from transfer.labellers.labeller import Labeller, identity_of
from transfer.labellers.labeller_factory import make_labeller
from transfer.labellers.labeller_settings import LabellerSettings, require_labeller
from transfer.labellers.prompt import PromptSettings, variants


@dataclass(frozen=True)
class Facts:
    """What is left to know of a labeller once its model is gone. ways: identity and prompt of each of its ways."""

    name: str
    identity: str
    settings: LabellerSettings
    ways: tuple[tuple[str, PromptSettings], ...]


@dataclass(frozen=True)
class LabellerEnsemble:
    """One labeller of the plan. where: its key. ways: the same LLM with each of its prompts; one where it has one.

    Its answer to a comment is the mean of its ways' answers; see transfer.labellers.labeller.mean_answer.
    """

    where: str
    settings: LabellerSettings
    prompts: tuple[PromptSettings, ...]
    ways: tuple[Labeller, ...]

    @cached_property
    def identity(self) -> str:
        """That of the only way, or one of its own."""
        return together([way.identity for way in self.ways])

    @property
    def description(self) -> dict[str, Any]:
        """What the store keeps; the model as the plan writes it: where a folder lies on this machine is no matter."""
        if len(self.ways) == 1:
            return self.described(self.ways[0])
        members = [way.identity for way in self.ways]
        shared = {name: self.ways[0].description.get(name) for name in ("base_url", "labels")}
        return {"kind": "mean", "model": f"{self.name}, {len(self.ways)} prompts", "members": members, **shared}

    @property
    def name(self) -> str:
        """What tables call it."""
        return str(self.settings.model or self.ways[0].description.get("model"))

    @property
    def facts(self) -> Facts:
        """See Facts."""
        ways = zip((way.identity for way in self.ways), self.prompts, strict=True)
        return Facts(self.name, self.identity, self.settings, tuple(ways))

    def described(self, way: Labeller) -> dict[str, Any]:
        """A way's description, its model as the plan writes it."""
        return {**way.description, "model": self.settings.model or way.description["model"]}


def together(identities: Sequence[str]) -> str:
    """The identity of several labellers whose answers are averaged, in whatever order; of one, its own."""
    return identities[0] if len(identities) == 1 else identity_of({"kind": "mean", "members": sorted(identities)})


def panels_of(run: Run, gold: Gold | None) -> list[LabellerEnsemble]:
    """The plan's labellers, not yet loaded.

    Raises UserError where one cannot be had, or stands there twice; for a teacher where stage one is not done.
    """
    found = [_panel(run, where, settings, gold) for where, settings in named_labellers(run.plan)]
    seen: dict[str, str] = {}
    for panel in found:
        first = seen.setdefault(panel.identity, panel.where)
        if first != panel.where:
            raise UserError(f"{panel.where}: asks the same as {first}", *_twice(panel, first, found))
    return found


def require_labellers(plan: Plan) -> None:
    """Raises UserError for a labeller that cannot be had: told before hours of stage one. Teachers are not made yet."""
    for where, settings in named_labellers(plan):
        _require_source(plan, settings.prompt, where)
        if settings.teacher is not None:
            require_labeller(settings, plan.labels, where)
        else:
            _made(plan, where, settings, None)
            if settings.base_url is None:
                _require_bits(settings, where)


def _require_bits(settings: LabellerSettings, where: str) -> None:
    """Raises UserError where weights cannot be had in the plan's bits here."""
    import torch

    from transfer.labellers.weight_quantization import quantised

    quantised(settings.quantisation, device_name(), torch.float32, where)


def named_labellers(plan: Plan) -> Iterator[tuple[str, LabellerSettings]]:
    """Each labeller with its key in the plan: `labellers` where they are given, else the one `labeller`."""
    settings = plan.pseudo_label or PseudoLabelSettings()
    if settings.labellers is None:
        yield "pseudo_label.labeller", settings.labeller
    for i, labeller in enumerate(settings.labellers or ()):
        yield f"pseudo_label.labellers[{i}]", labeller


def example_rows(plan: Plan, how: SampledExamples, gold: Gold | None) -> list[Example]:
    """What a prompt's examples are drawn from: gold's tune half, or the original training data without gold's texts."""
    if how.source == "gold" and gold is not None:
        return _examples(plan, gold.tune)
    keys = {*gold.tune.keys, *gold.report.keys} if gold else ()
    return _examples(plan, read_original(plan, keys).train)


def _twice(panel: LabellerEnsemble, first: str, found: Sequence[LabellerEnsemble]) -> tuple[str, ...]:
    """What to do about a labeller that stands there twice."""
    if any(one.settings.tuning for one in found if one.where in {first, panel.where}):
        return (
            "a labeller whose tuning does not gain is the plain one: keep one of them;",
            "its tuning is compared with the plain prompt in any case",
        )
    return ("one labeller twice agrees with itself: remove it",)


def _panel(run: Run, where: str, settings: LabellerSettings, gold: Gold | None) -> LabellerEnsemble:
    require_labeller(settings, run.plan.labels, where)  # the whole prompt, before it is split into its ways
    if settings.teacher is not None:
        return LabellerEnsemble(where, settings, (settings.prompt,), (teacher_of(run),))
    _require_source(run.plan, settings.prompt, where)
    examples: FewShotExamples | None = None
    how = settings.prompt.examples
    if isinstance(how, SampledExamples):
        examples = sample_examples(how, example_rows(run.plan, how, gold), run.plan.labels, run.plan.seed)
        if not examples.metadata:  # the same for all comments: as if the plan spelt them out
            settings = _with_prompt(
                settings, settings.prompt.model_copy(update={"examples": examples.for_texts([""])[0]})
            )
            examples = None
    prompts = variants(settings.prompt, run.plan.labels)
    first = _made(run.plan, where, _with_prompt(settings, prompts[0]), examples)
    return LabellerEnsemble(
        where, settings, tuple(prompts), (first, *(first.with_prompt(prompt) for prompt in prompts[1:]))
    )


def _made(plan: Plan, where: str, settings: LabellerSettings, examples: FewShotExamples | None) -> Labeller:
    if settings.base_url is None and settings.model is not None:
        settings = settings.model_copy(update={"model": candidate_location(plan, settings.model)})
    return make_labeller(settings, plan.labels, device_name(), where, examples)


def _with_prompt(settings: LabellerSettings, prompt: PromptSettings) -> LabellerSettings:
    return settings.model_copy(update={"prompt": prompt})


def _examples(plan: Plan, rows: Labelled) -> list[Example]:
    return [Example(text=text, label=plan.labels[i]) for text, i in zip(rows.texts, rows.labels, strict=True)]


def _require_source(plan: Plan, prompt: PromptSettings, where: str) -> None:
    how = prompt.examples
    if isinstance(how, SampledExamples) and how.source == "gold" and plan.gold is None:
        raise UserError(
            f"{where}.prompt.examples.from: gold, and the plan names none",
            "label some with moodline annotate, or draw from: original",
        )


def summed(descriptions: Sequence[Mapping[str, Any]], identities: Sequence[str]) -> dict[str, Any]:
    """The description of several labellers averaged; of one, its own."""
    if len(descriptions) == 1:
        return dict(descriptions[0])
    names = " + ".join(str(told["model"]) for told in descriptions)
    return {"kind": "mean", "model": names, "members": list(identities), "labels": descriptions[0]["labels"]}
