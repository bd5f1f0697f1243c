"""A search of 16 trials by `Trainer.hyperparameter_search` and by moodline: how soon moodline has the Trainer's best.

python -m benchmarks.search_speed ENCODER DATA [--trials 16] [--texts 2000] [--epochs 3] [--trainer FILE] [--only SIDE]
DATA: a folder with train.csv and validation.csv (columns text, label). Both have the same space, budget and epochs.
The Trainer's side takes over an hour on two cores, so it can be run in parts: its trials are kept in FILE
(trainer.db), Optuna's store, and the next run continues with the missing ones; a killed trial is run again from its
beginning. The Trainer's seconds are the sum of its trials' own and of one start-up (tokenising and so on, before the
first trial). moodline's are wall-clock seconds from beginning to end, including start-up and the time between trials.
Processor seconds are given, too: on a machine with other load they are the fairer comparison. A FILE belongs to one
encoder, one number of texts and one number of epochs.
"""

import argparse
import statistics
import tempfile
import time
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
import yaml
from transformers import AutoModelForSequenceClassification, Trainer

from benchmarks.parts import Data, arguments, datasets, machine, read, scores, table, write

LOW, HIGH = 5e-5, 5e-4
BATCHES = [16, 32]
DECAYS = (0.0, 0.1)
STUDY = "trainer"
# trials, each with its value and the seconds from the search's beginning to its end; the processor's seconds of all
Side = dict[str, Any]


def by_trainer(encoder: str, data: Data, trials: int, epochs: int, file: Path) -> Side:
    """As in the documentation: model_init, a space for Optuna, an objective to maximise.

    file: the store of its trials; only those that it lacks are run.
    """
    began = time.perf_counter()
    store = f"sqlite:///{file.resolve()}"
    study = optuna.create_study(study_name=STUDY, storage=store, direction="maximize", load_if_exists=True)
    given = {"encoder": str(encoder), "texts": len(data.texts), "epochs": epochs}
    if study.user_attrs.setdefault("given", given) != given:
        raise SystemExit(f"{file} has trials of another search: {study.user_attrs['given']}; name another file")
    study.set_user_attr("given", given)
    train, unseen, collator = datasets(encoder, data, 128)
    meter = _Meter(study, began)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            args=arguments(folder, num_train_epochs=epochs, eval_strategy="epoch", warmup_steps=0.1),
            train_dataset=train,
            eval_dataset=unseen,
            data_collator=collator,
            model_init=partial(_model, encoder, len(data.labels)),
            compute_metrics=lambda out: scores(np.asarray(out.predictions), np.asarray(out.label_ids)),
        )
        lacking = trials - len(_ended(study))
        if lacking > 0:
            trainer.hyperparameter_search(
                meter.space,
                meter.value,
                n_trials=lacking,
                direction="maximize",
                backend="optuna",
                study_name=STUDY,
                storage=store,
                load_if_exists=True,
            )
    return _trainers(optuna.load_study(study_name=STUDY, storage=store), trials)


def _model(encoder: str, labels: int, trial: object) -> Any:
    return AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=labels)


class _Meter:
    """The space and the objective as the Trainer needs them, and the seconds of start-up and of each trial.

    began: when the search did, by the performance counter.
    """

    def __init__(self, study: optuna.Study, began: float) -> None:
        self.study, self.began = study, began
        self.trial: optuna.Trial | None = None
        self.processor = 0.0

    def space(self, trial: optuna.Trial) -> dict[str, Any]:
        if "startup" not in self.study.user_attrs:
            self.study.set_user_attr("startup", time.perf_counter() - self.began)
        self.trial, self.processor = trial, time.process_time()
        return {
            "learning_rate": trial.suggest_float("learning_rate", LOW, HIGH, log=True),
            "per_device_train_batch_size": trial.suggest_categorical("per_device_train_batch_size", BATCHES),
            "weight_decay": trial.suggest_float("weight_decay", *DECAYS),
        }

    def value(self, metrics: dict[str, float]) -> float:
        """Called after each epoch; the last value counts."""
        assert self.trial is not None
        self.trial.set_user_attr("processor_seconds", time.process_time() - self.processor)
        return metrics["eval_macro_f1"]


def _trainers(study: optuna.Study, trials: int) -> Side:
    """Its first `trials` that ended, each with the seconds that a search in one piece would have taken until then."""
    ended = _ended(study)[:trials]
    lasted = [(t.datetime_complete - t.datetime_start).total_seconds() for t in ended]
    until = np.cumsum([study.user_attrs["startup"], *lasted])[1:]
    found = [{"value": float(t.value), "seconds": float(at)} for t, at in zip(ended, until, strict=True)]
    return {"trials": found, "processor_seconds": sum(t.user_attrs["processor_seconds"] for t in ended)}


def by_moodline(encoder: str, data: Data, trials: int, epochs: int) -> Side:
    """The command itself, in this process."""
    from cli import app

    processor = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "train.csv", data.labels, data.texts, data.y)
        write(folder / "validation.csv", data.labels, data.unseen, data.unseen_y)
        space = {
            "learning_rate": {"low": LOW, "high": HIGH, "log": True},
            "batch_size": {"choices": BATCHES},
            "weight_decay": {"low": DECAYS[0], "high": DECAYS[1]},
            "epochs": epochs,
            "max_length": 128,
            "warmup_share": 0.1,
            "dropout": 0.1,
            "label_smoothing": 0.0,
            "class_weighting": "none",
            "frozen_layers": 0,
            "layer_decay": 1.0,
        }
        plan = {
            "name": "speed",
            "labels": data.labels,
            "original": {"train": [{"path": "train.csv"}], "validation": [{"path": "validation.csv"}], "test": None},
            "candidates": [encoder],
            "search": {"trials": trials, "metric": "macro_f1", "space": space},
            "pseudo_label": None,
        }
        (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
        began = time.time()
        app(["search", str(folder / "plan.yaml")], standalone_mode=False)
        store = f"sqlite:///{folder}/runs/speed/moodline.db"
        [study_name] = optuna.get_all_study_names(store)
        ended = _ended(optuna.load_study(study_name=study_name, storage=store))
        # Optuna's times are UTC without saying so
        found = [(t.value, t.datetime_complete.replace(tzinfo=UTC).timestamp() - began) for t in ended]
    trials_of = [{"value": value, "seconds": seconds} for value, seconds in found]
    return {"trials": trials_of, "processor_seconds": time.process_time() - processor}


def _ended(study: optuna.Study) -> list[Any]:
    """Its complete and pruned trials, in the order of their numbers."""
    return [trial for trial in study.trials if trial.value is not None and trial.datetime_complete is not None]


def main() -> None:
    """Runs both sides, and prints after what share of the Trainer's time moodline had its best value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--trainer", type=Path, default=Path("trainer.db"))
    parser.add_argument("--only", choices=["trainer", "moodline"], help="one side; without it both, and a comparison")
    given = parser.parse_args()
    data = read(given.data, given.texts)
    torch.manual_seed(1)
    sides: dict[str, Side] = {}
    if given.only != "moodline":
        sides["Trainer"] = by_trainer(given.encoder, data, given.trials, given.epochs, given.trainer)
    if given.only != "trainer":
        sides["moodline"] = by_moodline(given.encoder, data, given.trials, given.epochs)
    print(f"\n{machine()}\n{given.texts} texts, {given.trials} trials, {given.epochs} epochs\n")
    heads = ["", "trials", "best macro-F1", "seconds", "processor seconds", "median seconds a trial"]
    print(table([heads, *([name, *_summary(side)] for name, side in sides.items())]))
    if given.only is None:
        print(f"\n{_compared(sides)}")


def _compared(sides: dict[str, Side]) -> str:
    best = max(t["value"] for t in sides["Trainer"]["trials"])
    whole = max(t["seconds"] for t in sides["Trainer"]["trials"])
    reached = [t["seconds"] for t in sides["moodline"]["trials"] if t["value"] >= best]
    if not reached:
        return "moodline did not reach the Trainer's best value"
    return f"moodline had the Trainer's best after {min(reached):.0f} s, {min(reached) / whole:.2f} of its time"


def _summary(side: Side) -> list[float]:
    ended = side["trials"]
    best, whole = max(t["value"] for t in ended), max(t["seconds"] for t in ended)
    return [len(ended), best, whole, side["processor_seconds"], _median_trial(ended)]


def _median_trial(ended: list[dict[str, float]]) -> float:
    seconds = sorted(trial["seconds"] for trial in ended)
    return statistics.median(b - a for a, b in zip([0.0, *seconds], seconds, strict=False))


if __name__ == "__main__":
    main()
