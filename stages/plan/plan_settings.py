"""The settings of each stage in a plan, with their defaults."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from stages.plan.duration import Duration
from studies.refit_settings import Recheck, RecheckSettings, SubsetSettings, check_recheck, recheck_of
from studies.sampling.algorithm_names import PrunerName, SamplerName
from studies.space.dimensions import DimensionField
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.tables.sources import CommentSource, LabelledSource
from transfer.text.script_language import Language

MetricName = Literal["accuracy", "macro_f1", "weighted_f1", "log_loss"]
Calibrate = Literal["auto", "none", "temperature", "bias", "batch"]
Choose = Literal["random", "stratified", "uncertain", "mixed"]
Combine = Literal["auto", "mean", "product", "maximum", "minimum", "weighted", "greedy", "stacking"]
CalibrateMembers = Literal["none", "temperature", "auto"]


def _part_kind(value: Any) -> str:
    return "sources" if isinstance(value, list | tuple) else "share"


Share = Annotated[float, Field(gt=0, le=0.5)]
Sources = Annotated[list[LabelledSource], Field(min_length=1)]
Part = Annotated[Annotated[Share, Tag("share")] | Annotated[Sources, Tag("sources")], Discriminator(_part_kind)]


# What the stages that search have in common.
Pruner = Annotated[
    PrunerName,
    Field(description="what stops trials that lag: median, successive_halving, hyperband, wilcoxon (by seeds) or none"),
]
Seeds = Annotated[int, Field(ge=1, le=100, description="fine-tunes per trial; its value is the mean over them")]
Rechecks = Annotated[
    Recheck,
    Field(
        description="refit the best trials on fresh seeds: {top: 2, seeds: 3}, none, or auto: these from 20 trials on"
    ),
]


class Settings(BaseModel):
    """A part of the plan: unknown keys are refused, and what was read does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StudySettings(Settings):
    """Of a stage that searches. Its fields stand in each stage's, in the order of the plan's page."""

    if TYPE_CHECKING:
        trials: int
        keep: int
        recheck: Rechecks

    @property
    def refits(self) -> RecheckSettings | None:
        """How the best trials are fitted again on fresh seeds; None where they are not."""
        return recheck_of(self.recheck, self.trials, self.keep)

    @model_validator(mode="after")
    def _rechecks_what_it_keeps(self) -> Self:
        check_recheck(self.recheck, self.keep)
        return self


class Original(Settings):
    """The labelled text of another domain."""

    train: Sources = Field(description="labelled files or hub data sets, read as one corpus")
    validation: Part = Field(default=0.1, description="share of train (stratified, seeded), or sources like train's")
    test: Part | None = Field(
        default=0.1, description="share of train, or sources like train's; read once, at the end; null: none"
    )


class SearchSettings(StudySettings):
    """Stage one: a study for each candidate."""

    trials: int = Field(default=20, ge=1, le=10_000, description="complete and pruned trials per candidate, in all")
    metric: MetricName = Field(default="macro_f1", description="what is optimised, on the validation split")
    sampler: SamplerName = Field(
        default="tpe", description="what samples trials: tpe, gp, qmc or random; trial 0 is the published recipe"
    )
    pruner: Pruner = "median"
    timeout: Duration | None = Field(
        default=None,
        description="8h, 90m or minutes: how long a command works on one study before it starts no further trial",
    )
    keep: int = Field(default=3, ge=1, le=100, description="trials per study whose weights stay on disk")
    seeds: Seeds = 1
    trial_timeout: float | None = Field(
        default=None,
        gt=0,
        description="minutes of training that a trial may take, resumes included, here and in stage two; "
        "beyond that it counts as pruned",
    )
    token_budget: int | None = Field(
        default=None,
        ge=1,
        description="padded tokens computed at a time, here and in stage two: micro-batches add up to batch_size; "
        "null: the device's default; halved where its memory is too small",
    )
    gradient_checkpointing: Literal[True, False, "auto"] = Field(
        default="auto",
        description="recompute activations instead of keeping them, here and in stage two: less memory, a third "
        "more time, the same weights; auto: when one text at a time is still too much",
    )
    subset: SubsetSettings | None = Field(
        default=None, description="search on a part of train, {share: 0.2} or {rows: 2000}, then the best on all of it"
    )
    recheck: Rechecks = "auto"
    space: dict[str, DimensionField] = Field(
        default_factory=dict,
        description="parameters not searched as by default: a range, choices or a value",
    )


class AdaptSettings(Settings):
    """Adapting encoders to the comments' language: masked-language modelling on unlabelled comments."""

    before: Literal["search", "further"] = Field(
        default="search",
        description="what is adapted: every candidate before stage one, or its winner before stage two",
    )
    comments: int = Field(
        default=50_000, ge=20, description="comments trained on at most, sampled at random; never gold"
    )
    steps: int | None = Field(default=None, ge=1, description="optimiser steps; null: once through the comments")
    minutes: float | None = Field(default=None, gt=0, description="for each encoder, resumes included; null: no limit")
    mask: Literal["token", "word"] = Field(default="token", description="what is masked: tokens, or whole words")
    share: float = Field(default=0.15, gt=0, le=0.5, description="share of the tokens that is masked")
    learning_rate: float = Field(default=5e-5, gt=0, lt=1, description="peak of the rate, which then falls to 0")
    batch_size: int = Field(default=32, ge=1, le=4096, description="comments per optimiser step")
    max_length: int = Field(default=128, ge=4, le=8192, description="tokens of a comment that are read")


class PseudoLabelSettings(Settings):
    """The labellers, and the sample of comments that they label."""

    labeller: LabellerSettings = Field(
        default_factory=lambda: LabellerSettings(model="google/gemma-3-4b-it"), description="the LLM that labels"
    )
    labellers: list[LabellerSettings] | None = Field(
        default=None,
        min_length=2,
        description="several, each as labeller and in its place, all given the same comments; stage two trains on "
        "the mean of their answers",
    )
    sample: int = Field(default=9000, ge=1, description="comments labelled, in all")
    sources: list[CommentSource] | None = Field(
        default=None, min_length=1, description="what the sample is from; null: the comments"
    )
    choose: Choose = Field(
        default="stratified",
        description="which comments: random; stratified over time and source; uncertain, those of which stage one's "
        "winner is least sure; mixed, half of each of the last two",
    )
    languages: list[Language] | None = Field(
        default=None,
        min_length=1,
        description="others are left out, as the script shows: ko, en (any Latin letters), ja, zh; null: all stay",
    )
    simulation: bool = Field(
        default=False, description="the labeller is a stand-in for an LLM; every table, page and model card says so"
    )
    calibrate: Calibrate = Field(
        default="auto",
        description="how the labeller's probabilities are calibrated on gold's tune half, before stage two uses them: "
        "none, temperature, bias (temperature and a bias per label), batch (its mean answer is divided out), or auto: "
        "the simplest of the first three that others do not clearly beat; none below 50 rows",
    )
    min_kappa: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="least Cohen's kappa with gold; below it the run stops before stage two",
    )

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if self.labellers is not None and "labeller" in self.model_fields_set:
            raise ValueError("labeller and labellers exclude each other: name all of them in labellers")
        return self


class FurtherSettings(StudySettings):
    """Stage two: a study that starts from the winner's weights."""

    trials: int = Field(default=10, ge=1, le=10_000, description="complete and pruned trials, in all")
    sampler: SamplerName = Field(
        default="tpe", description="what samples trials: tpe, gp, qmc or random; trial 0 is the winner's recipe"
    )
    pruner: Pruner = "median"
    timeout: Duration | None = Field(
        default=None,
        description="8h, 90m or minutes: how long a command works on the study before it starts no further trial",
    )
    keep: int = Field(default=3, ge=1, le=100, description="trials whose weights stay on disk")
    seeds: Seeds = 1
    recheck: Rechecks = "auto"
    tolerance: float = Field(
        default=0.02, ge=0, le=1, description="macro-F1 on original validation that may be lost without penalty"
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="epochs without a better value after which a fine-tune ends; null: none, the best epoch is kept "
        "either way",
    )
    ablation_seeds: int = Field(
        default=3, ge=3, le=100, description="fine-tunes of each arm of `moodline further --ablation`"
    )
    space: dict[str, DimensionField] = Field(
        default_factory=dict,
        description="as in search, and which mixture: pseudo_share, confidence, label_softness, start and others",
    )


class RoundsSettings(Settings):
    """Rounds of stage two: its best trials label more comments, with which it is searched again."""

    most: int = Field(
        default=3, ge=2, le=20, description="rounds at most, the first included; it ends when a round is no better"
    )
    comments: int = Field(
        default=5000, ge=1, description="comments labelled for a round in addition to those of the round before"
    )
    top: int = Field(default=3, ge=1, le=100, description="kept trials of a round whose mean labels for the next")


class EnsembleSettings(Settings):
    """Which models are combined, and how."""

    top: int = Field(default=5, ge=1, le=100, description="members at most: the best kept trials of all studies")
    combine: Combine = Field(
        default="mean",
        description="mean, product, maximum or minimum, with equal weights; weighted, greedy or stacking, fitted on "
        "validation; or auto: the best of them there",
    )
    calibrate: CalibrateMembers = Field(
        default="none",
        description="temperature: each member is calibrated on validation before it is combined; auto: where that is "
        "better there",
    )


class DistilSettings(Settings):
    """Distillation: the ensemble's predictions on comments train one encoder."""

    encoder: str = Field(min_length=1, description="pretrained encoder to train: a hub name or a folder, as candidates")
    sample: int = Field(default=20_000, ge=20, description="comments that the ensemble labels for it, at most")
    temperature: float = Field(
        default=1.0,
        gt=0,
        le=20,
        description="above 1, teacher and student are compared with their small probabilities raised",
    )
    labels: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the loss that is on the original data's labels; the rest on the ensemble's predictions",
    )
    trials: int = Field(default=1, ge=1, le=1000, description="fine-tunes tried; of one alone, the published recipe")
    space: dict[str, DimensionField] = Field(
        default_factory=dict, description="parameters of the fine-tune as in search; those not named are fixed"
    )


class InferSettings(Settings):
    """How all comments are classified."""

    engine: Literal["auto", "torch", "openvino", "onnx"] = Field(
        default="auto",
        description="what computes: torch (also on GPUs), openvino or onnx (on CPUs; extras of these names); auto: the "
        "fastest that gives float32's labels, measured once on comments of the plan, then kept",
    )
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        default="auto",
        description="compute dtype; anything but float32 is refused below 99.5 % of float32's labels, or where a "
        "label's share moves by more than 0.2 points; auto: the fastest that is not",
    )
    processes: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="processes that classify, shard by shard, with `--on ray` on each node; null: one for each GPU, or "
        "one",
    )
    shard_rows: int = Field(default=50_000, ge=1, description="comments per Parquet file; a kill costs one at most")
    follow_every: Duration = Field(
        default=1.0, description="30s, 5m or minutes: how often `infer --follow` looks for new comments"
    )
