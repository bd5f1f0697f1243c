"""Labellers as people read them: against gold, against one another, their confidence, and what they cost."""

from collections.abc import Iterator

from stages.console.show_evaluation import show_classes
from stages.console.tables import console, figure, table
from stages.results.annotation_result import AnnotationResult
from stages.results.label_result import (
    ConfidenceFigures,
    GoldEvaluation,
    LabellerFigures,
    LabelResult,
    UncalibratedFigures,
)
from stages.results.labels_command_result import LabelsResult
from stages.results.stage_result import Interval
from transfer.metrics.calibration_error import Reliability


def show_labeller(result: LabelResult) -> None:
    out, gold = console(), result.evaluation
    agreement = "no kappa: no gold, or gold of one label only"
    if gold and gold.kappa:
        agreement = f"{_kappa(gold.kappa, ' with gold')}, accuracy {gold.accuracy:.3f}, macro-F1 {gold.macro_f1:.3f}"
    counts = f"{result.labelled} labelled, {result.missing} without a label"
    out.print(f"labeller {result.labeller.get('model')}: {counts}; {agreement}")
    for tuning in result.tuning:
        out.print(f"tuning {tuning.labeller}: {tuning.summary}")
    if gold and gold.calibration and gold.calibrated:
        moves = ", ".join(_moves(gold.calibrated.before, gold.calibrated.after))
        out.print(f"calibrated on gold's tune half ({gold.calibration.kind}); on the report half {moves}")
    if result.simulation:
        out.print("The labeller is a stand-in for an LLM: its figures, and those of stage two, are a simulation's.")


def show_label_stage(result: LabelResult) -> None:
    """The labeller against gold in full: per label, confusions, and whether its confidence can be believed."""
    show_labeller(result)
    for line in (*_agreement_lines(result), *_usage_lines(result)):
        console().print(line)
    if result.evaluation:
        _show_evaluation(result.evaluation)


def show_labels(result: LabelsResult) -> None:
    out = console()
    if result.imported:
        out.print(
            f"{result.imported.rows:,} labels read from {result.imported.file}, {result.imported.added:,} of them new"
        )
    if result.exported:
        out.print(f"{result.exported.rows:,} labels written to {result.exported.file}")
    made = table("labeller", "kind", "model", "answers", "labels")
    for found in result.labellers:
        fits = "the plan's" if found.fits else "others"
        made.add_row(found.identity[:16], str(found.kind), found.model or "", f"{found.answers:,}", fits)
    out.print(made if result.labellers else "no labels yet")


def show_annotations(result: AnnotationResult) -> None:
    """How far an annotator is, how far people agree, and what to write into the plan."""
    out = console()
    counts = f"{result.labelled} labelled, {result.skipped} passed over, {result.left} left"
    out.print(f"{result.annotator}: {counts} of {result.sample}")
    if result.sheet:
        out.print(f"sheet to fill in: {result.sheet}; read it back with --import")
    for pair in result.agreement:
        out.print(f"{' and '.join(pair.annotators)}: {_kappa(pair.kappa)} on {pair.n} comments")
    if result.disagreements:
        out.print(
            f"{result.disagreements} comments have several labels: gold has the one given most often, "
            "of a tie that of whoever labelled most"
        )
    if result.gold:
        out.print(f"{result.rows} rows of gold; in the plan:\n  gold: {result.source}")


def _kappa(kappa: Interval | None, words: str = "") -> str:
    return f"kappa{words} {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f})" if kappa else "no kappa"


def _agreement_lines(result: LabelResult) -> Iterator[str]:
    """Each labeller and prompt against gold, and how they agree with one another, where there are several."""
    for labeller in result.labellers:
        if len(result.labellers) > 1:
            yield f"{labeller.labeller}: {_figures(labeller)}"
        yield from _prompt_lines(labeller)
    for pair in result.between.pairs if result.between else []:
        same = "" if pair.same is None else f", {pair.same:.1%} alike"
        yield f"{' and '.join(pair.labellers)}: {_kappa(pair.kappa)}{same} on {pair.n:,} comments"
    if result.between and result.between.alpha is not None:
        yield f"all labellers: Krippendorff's alpha {result.between.alpha:.2f}"


def _prompt_lines(labeller: LabellerFigures) -> Iterator[str]:
    for i, prompt in enumerate(labeller.prompts, 1):
        wording = f'"{prompt.instruction[:60]}"' if prompt.instruction else "the language's own wording"
        yield f"  prompt {i}, {wording}, {' · '.join(prompt.order)}: {_figures(prompt)}"
    found = labeller.agreement
    if found and found.mean is not None:
        alpha = "" if found.alpha is None else f", Krippendorff's alpha {found.alpha:.2f}"
        yield f"  prompts agree: {found.mean:.1%} on average, all on {found.unanimous:.1%} of comments{alpha}"


def _figures(found: UncalibratedFigures) -> str:
    counts = f"{found.labelled:,} labelled, {found.missing:,} without a label"
    return f"{counts}; {_kappa(found.kappa, ' with gold')}" if found.kappa else counts


def _usage_lines(result: LabelResult) -> Iterator[str]:
    """Tokens and money, as the servers counted them."""
    for usage in (usage for usage in result.usage if usage.tokens):
        money = "" if usage.money is None else f", {usage.money:,.4g} {usage.currency}"
        left = f"; {usage.uncounted:,} answers came without a count" if usage.uncounted else ""
        yield f"{usage.labeller}: {usage.answers:,} answers in all, {usage.tokens:,} tokens{money}{left}"


def _moves(before: ConfidenceFigures, after: ConfidenceFigures) -> Iterator[str]:
    if after.log_loss is not None:
        yield f"log-loss {before.log_loss:.3f} to {after.log_loss:.3f}"
    if after.ece is not None:
        yield f"calibration error {before.ece:.3f} to {after.ece:.3f}"
    if before.kappa and after.kappa:
        yield f"kappa {before.kappa.value:.2f} to {after.kappa.value:.2f}"


def _show_evaluation(found: GoldEvaluation) -> None:
    console().print(f"against the {found.gold_n} rows of gold's report half (rows true, columns predicted):")
    show_classes(list(found.per_class), found.per_class, found.confusion)
    if found.reliability:
        _show_reliability(found.reliability, found.unknown_confidence)


def _show_reliability(found: Reliability, unknown: int) -> None:
    out = console()
    made = table("confidence", "answers", "mean confidence", "right")
    for bin_ in (bin_ for bin_ in found.bins if bin_.n):
        figures = (str(bin_.n), figure(bin_.confidence), figure(bin_.accuracy))
        made.add_row(f"{bin_.low:.1f} to {bin_.high:.1f}", *figures)
    out.print(made)
    left = f"; the confidence of {unknown} is unknown" if unknown else ""
    out.print(f"expected calibration error {found.ece:.3f} over {found.n} answers{left}")
