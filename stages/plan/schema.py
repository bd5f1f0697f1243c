"""The plan as a whole, read from one YAML file; each stage's settings and their defaults are in plan_settings."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr, StrictStr

from stages.monitor.schema.index_settings import IndexSettings
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
from stages.plan.validation import plan_problems
from stages.plan.yaml_document import read_document
from studies.space.dimensions import Dimension, Space
from transfer.errors import UserErrors
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

    @property
    def is_simulation(self) -> bool:
        """Whether the labeller is a stand-in for an LLM."""
        return self.pseudo_label is not None and self.pseudo_label.simulation

    def space(self, stage: Literal["search", "further"], default: Space) -> dict[str, Dimension]:
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
    problems = plan_problems(document, Plan)
    if problems:
        raise UserErrors(f"{path}: {len(problems)} problem{'s' if len(problems) > 1 else ''} in the plan", problems)
    plan = Plan.model_validate(document.values)
    plan._file = path.resolve()
    return plan
