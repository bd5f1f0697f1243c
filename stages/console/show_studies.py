"""Studies and their winner as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.console.tables import console, table

MOST_SHOWN = 9  # trials in one line


def show_studies(studies: Sequence[Mapping[str, Any]]) -> None:
    """Studies with their counts, best and baseline, and why trials failed."""
    out = console()
    made = table("study", "best", "trial", "baseline", "done", "pruned", "failed")
    for study in studies:
        best, baseline = study["best"], study["baseline"]
        made.add_row(
            short(study),
            _value(best),
            str(best["trial"]) if best else "",
            _value(baseline),
            f"{study['complete'] + study['pruned']}/{study['target']}",
            str(study["pruned"]),
            str(study["failed"]),
        )
    out.print(made)
    for study in studies:
        if study["baseline"] and study["baseline"]["moved"]:
            out.print(
                f"{short(study)}: the untuned baseline is the published recipe, but for what lies outside the "
                f"plan's space: {study['baseline']['moved']}"
            )
        told = [f"{name} {_on_validation(trial)}" for name, trial in _shown(study) if trial and trial.get("intervals")]
        if told:
            out.print(f"{short(study)}, macro-F1 on validation with 95 % interval: {', '.join(told)}")
        for again in study.get("rechecked", []):
            out.print(f"{short(study)}, trial {again['trial']}: {again['value']:.4f}; {over_seeds(again)}")
        for line in _failures(study):
            out.print(line)


def show_winner(winner: Mapping[str, Any]) -> None:
    """The winner's value with its interval, and where its weights lie."""
    told = f"; {over_seeds(winner['fresh'])}" if winner.get("fresh") else ""
    value = f"{winner['value']:.4f}{_kept_ends(winner)}{told}"
    console().print(f"winner: {winner['candidate']}, trial {winner['trial']}, {value}\n  {winner['path']}")


def _kept_ends(winner: Mapping[str, Any]) -> str:
    """The interval of its kept weights; their own value, too, where its value is the mean over several seeds."""
    found = winner.get("interval")
    if found is None or abs(found["value"] - winner["value"]) < 5e-5:
        return _ends(found)
    return f"; the kept weights {found['value']:.4f}{_ends(found)}"


def over_seeds(figures: Mapping[str, Any]) -> str:
    interval = "" if figures["low"] is None else _ends(figures)
    failed = f", {figures['failed']} failed" if figures["failed"] else ""
    return f"over {figures['n']} fresh seeds {figures['mean']:.4f}{interval}{failed}"


def short(study: Mapping[str, Any]) -> str:
    """A study's name without its plan's, which stands above."""
    return str(study["name"]).partition(" · ")[2] or str(study["name"])


def _shown(study: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any] | None]]:
    """The best trial and the baseline, once where they are one."""
    best, baseline = study["best"], study["baseline"]
    same = best and baseline and best["trial"] == baseline["trial"]
    return [("best and baseline" if same else "best", best), *([] if same else [("baseline", baseline)])]


def _on_validation(trial: Mapping[str, Any]) -> str:
    found = trial["intervals"]["macro_f1"]
    return f"{found['value']:.4f}{_ends(found)}"


def _ends(interval: Mapping[str, Any] | None) -> str:
    return f" ({interval['low']:.4f} to {interval['high']:.4f})" if interval else ""


def _value(trial: Mapping[str, Any] | None) -> str:
    return "" if trial is None or trial["value"] is None else f"{trial['value']:.4f}"


def _failures(study: Mapping[str, Any]) -> list[str]:
    """One line a reason: a search of 2,000 trials may have failed hundreds of times alike."""
    by_reason: dict[tuple[str, str], list[int]] = {}
    for failure in study["failures"]:
        by_reason.setdefault((failure.get("state", "fail"), failure["reason"]), []).append(failure["trial"])
    lines = []
    for (state, reason), trials in by_reason.items():
        shown = ", ".join(map(str, trials[:MOST_SHOWN])) + (
            f" and {len(trials) - MOST_SHOWN} more" * (len(trials) > MOST_SHOWN)
        )
        what = {"fail": "failed: ", "running": "runs: "}.get(state, "")
        lines.append(f"{short(study)}, trial{'s' * (len(trials) > 1)} {shown} {what}{reason}")
    return lines
