"""What optuna-dashboard shows of a study in addition to Optuna's own: a trial's figures, the study's note, plots.

Notes and plots are kept as the dashboard keeps them, so that it need not be installed where the search runs.
"""

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from storage.files.file_store import FileStore
from storage.records import model_registry
from studies.dashboard.study_note import study_note, write_note, write_parts
from studies.dashboard.study_plots import importance_plot, spent_plot, time_plot
from studies.dashboard.trial_figures import confusion_png, curves_png
from studies.optuna_artifacts import attach
from studies.study_config import StudyConfig
from studies.top_k_models import TopKModels
from studies.trials.trial_result import TrialResult
from transfer.metrics.scores import Scores

# A note costs some transactions; a short trial shall not wait for one each time.
NOTE_SECONDS = 30.0
PLOT_TRIALS = 20
PLOTS = "dashboard:plot_data:"
READABLE = {"macro_f1": "macro-F1", "weighted_f1": "weighted F1", "log_loss": "log loss"}


def show_trial(trial: optuna.Trial, files: FileStore, result: TrialResult) -> None:
    """Attaches confusion matrix, learning curves, the table of labels and the attributes to a running trial.

    The curves are of the seed whose weights are kept. Raises StoreError as `attach` does.
    """
    scores, best_epoch = result.scores, result.kept.number
    curve = [epoch for epoch in result.curve if epoch.seed == result.kept.seed]
    losses, values = [epoch.loss for epoch in curve], {epoch.number: epoch.value for epoch in curve}
    metric = (trial.study.metric_names or ["value"])[0]
    title = f"trial {trial.number}, epoch {best_epoch}: macro-F1 {scores.macro_f1:.3f} on {scores.n:,} validation texts"
    contents = {
        "confusion.png": confusion_png(scores.confusion, scores.labels, title),
        "curves.png": curves_png(losses, values, metric, best_epoch),
        "labels.csv": labels_csv(scores).encode(),
    }
    attach(trial, files, contents, result.attributes())


def labels_csv(scores: Scores) -> str:
    """A row a label: precision, recall, F1, accuracy, true rows, and as what these were classified."""
    text = io.StringIO()
    table = csv.writer(text)
    figures = ("precision", "recall", "f1", "accuracy")
    table.writerow(["label", *figures, "rows", *(f"as {label}" for label in scores.labels)])
    for label, counts in zip(scores.labels, scores.confusion, strict=True):
        own = scores.per_class[label]
        table.writerow([label, *(f"{own[name]:.4f}" for name in figures), int(own["support"]), *counts])
    return text.getvalue()


class StudyUpdates:
    """One study's note and plots, kept up to date by the coordinator of its search."""

    def __init__(self, study: optuna.Study, search: StudyConfig, kept_models: TopKModels, plan: Path) -> None:
        """plan: the plan's file, for the commands that the note shows."""
        self.study, self.search, self.kept_models, self.plan = study, search, kept_models, plan
        self._noted_at, self._noted, self._plotted = -NOTE_SECONDS, -1, -1

    def begin(self) -> None:
        """Names what is optimised so that it reads well, and notes the budget."""
        name = self.search.metric
        wanted = [READABLE.get(name, name.replace("macro_f1", "macro-F1"))]
        if self.study.metric_names != wanted:
            self.study.set_metric_names(wanted)
        if self.study.user_attrs.get("trials") != self.search.trials:
            self.study.set_user_attr("trials", self.search.trials)

    def after_trial(self) -> None:
        """A trial ended: the note is rewritten if it is older than half a minute, and plots now and then."""
        ended = self._ended()
        if time.monotonic() - self._noted_at >= NOTE_SECONDS:
            self._note(ended)
        if len(ended) >= self._plotted + PLOT_TRIALS:
            self._plot(ended)

    def finish(self) -> None:
        """The search is at its end: all of it is shown."""
        ended = self._ended()
        self._note(ended)
        self._plot(ended)

    def _ended(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def _note(self, ended: Sequence[FrozenTrial]) -> None:
        self._noted_at = time.monotonic()
        if len(ended) != self._noted:
            kept = model_registry.models(self.kept_models.engine, self.kept_models.plan, study=self.study.study_name)
            places = {record.trial: (record.name, self.kept_models.files.location(record.path)) for record in kept}
            write_note(self.study, study_note(self.study, self.search, ended, places, self.plan))
            self._noted = len(ended)

    def _plot(self, ended: Sequence[FrozenTrial]) -> None:
        if len(ended) == self._plotted or not ended:
            return
        metric = (self.study.metric_names or ["value"])[0]
        plots = {
            "importance": importance_plot(self.study, ended, metric),
            "value-against-training-time": time_plot(ended, metric),
            "best-against-time-spent": spent_plot(self.study, ended, metric),
        }
        for name, plot in plots.items():
            if plot is not None:
                save_plot(self.study, name, plot)
        self._plotted = len(ended)


def save_plot(study: optuna.Study, name: str, figure: Mapping[str, Any]) -> None:
    """A plotly figure (its JSON: data and layout) among the study's plots, in the place of the one of that name."""
    write_parts(study, f"{PLOTS}{name}:", json.dumps(figure, ensure_ascii=False, allow_nan=False))
