"""Studies and their winner as people read them."""

from collections.abc import Sequence

from stages.console.tables import console, table
from stages.results.stage_result import Interval
from stages.results.status_result import StageState
from stages.results.study_results import FreshSeeds, MeasuredWinner, ShownTrial, StudySummary, Winner

MOST_SHOWN = 9  # trials in one line


def show_stages(stages: Sequence[StageState]) -> None:
    made = table("stage", "state", "seconds")
    for stage in stages:
        made.add_row(stage.stage, stage.state, f"{stage.seconds:.1f}")
    console().print(made)


def show_studies(studies: Sequence[StudySummary]) -> None:
    out = console()
    made = table("study", "best", "trial", "baseline", "done", "pruned", "failed")
    for study in studies:
        best, baseline = study.best, study.baseline
        counts = (f"{study.complete + study.pruned}/{study.target}", str(study.pruned), str(study.failed))
        made.add_row(short(study.name), _value(best), str(best.trial) if best else "", _value(baseline), *counts)
    out.print(made)
    for study in studies:
        for line in [*_moved(study), *_on_validation(study), *_rechecked(study), *_failures(study)]:
            out.print(line)


def show_winner(winner: Winner) -> None:
    fresh = f"; {over_seeds(winner.fresh)}" if winner.fresh else ""
    value = f"{winner.value:.4f}{_kept_interval(winner)}{fresh}"
    console().print(f"winner: {winner.candidate}, trial {winner.trial}, {value}\n  {winner.path}")


def over_seeds(figures: FreshSeeds) -> str:
    """The mean over fresh seeds with its interval, and how many fits failed."""
    interval = "" if figures.low is None else f" ({figures.low:.4f} to {figures.high:.4f})"
    failed = f", {figures.failed} failed" if figures.failed else ""
    return f"over {figures.n} fresh seeds {figures.mean:.4f}{interval}{failed}"


def short(name: str) -> str:
    """A study's name without its plan's, which stands above."""
    return name.partition(" · ")[2] or name


def _kept_interval(winner: Winner) -> str:
    """The interval of its kept weights; their own value, too, where its value is the mean over several seeds."""
    found = winner.interval if isinstance(winner, MeasuredWinner) else None
    if found is None or abs(found.value - winner.value) < 5e-5:
        return _ends(found)
    return f"; the kept weights {found.value:.4f}{_ends(found)}"


def _moved(study: StudySummary) -> list[str]:
    if study.baseline is None or not study.baseline.moved:
        return []
    return [
        f"{short(study.name)}: the untuned baseline is the published recipe, but for what lies outside the "
        f"plan's space: {study.baseline.moved}"
    ]


def _on_validation(study: StudySummary) -> list[str]:
    known = [(name, trial.intervals["macro_f1"]) for name, trial in _named(study) if trial and trial.intervals]
    figures = [f"{name} {interval.value:.4f}{_ends(interval)}" for name, interval in known]
    return [f"{short(study.name)}, macro-F1 on validation with 95 % interval: {', '.join(figures)}"] if figures else []


def _rechecked(study: StudySummary) -> list[str]:
    return [f"{short(study.name)}, trial {one.trial}: {one.value:.4f}; {over_seeds(one)}" for one in study.rechecked]


def _named(study: StudySummary) -> list[tuple[str, ShownTrial | None]]:
    """The best trial and the baseline, once where they are one."""
    best, baseline = study.best, study.baseline
    if best and baseline and best.trial == baseline.trial:
        return [("best and baseline", best)]
    return [("best", best), ("baseline", baseline)]


def _ends(interval: Interval | None) -> str:
    return f" ({interval.low:.4f} to {interval.high:.4f})" if interval else ""


def _value(trial: ShownTrial | None) -> str:
    return "" if trial is None or trial.value is None else f"{trial.value:.4f}"


def _failures(study: StudySummary) -> list[str]:
    """One line a reason: a search of 2,000 trials may have failed hundreds of times for the same."""
    by_reason: dict[tuple[str, str], list[int]] = {}
    for failure in study.failures:
        by_reason.setdefault((failure.state, failure.reason), []).append(failure.trial)
    lines = []
    for (state, reason), trials in by_reason.items():
        more = f" and {len(trials) - MOST_SHOWN} more" if len(trials) > MOST_SHOWN else ""
        shown = ", ".join(map(str, trials[:MOST_SHOWN])) + more
        what = {"fail": "failed: ", "running": "runs: "}.get(state, "")
        lines.append(f"{short(study.name)}, trial{'s' * (len(trials) > 1)} {shown} {what}{reason}")
    return lines
