"""A search of 16 trials by `Trainer.hyperparameter_search` and by moodline: how soon moodline has the Trainer's best.

python -m benchmarks.search_speed ENCODER DATA [--trials 16] [--texts 2000] [--epochs 3] [--trainer FILE]
DATA: a folder with train.csv and validation.csv (columns text, label).
Same space, budget and epochs. The Trainer's side takes about an hour on two cores: its values and times are written to
FILE (trainer.json), and read from there where it exists, so that the two sides can run one after the other. Seconds of
processor time stand beside those on the clock: on a machine shared with other work they are the fairer comparison.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
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
Trial = dict[str, float]  # value, and seconds from the search's beginning to the trial's end
Side = dict[str, Any]  # trials, and the processor's seconds that the whole search took


def by_trainer(encoder: str, data: Data, trials: int, epochs: int) -> list[Trial]:
    """As the documentation has it: model_init, a space for Optuna, an objective that is to be maximised."""
    train, unseen, collator = datasets(encoder, data, 128)

    def space(trial: optuna.Trial) -> dict[str, Any]:
        return {
            "learning_rate": trial.suggest_float("learning_rate", LOW, HIGH, log=True),
            "per_device_train_batch_size": trial.suggest_categorical("per_device_train_batch_size", BATCHES),
            "weight_decay": trial.suggest_float("weight_decay", *DECAYS),
        }

    def model(trial: object) -> Any:
        return AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=len(data.labels))

    def value(metrics: dict[str, float]) -> float:
        return metrics["eval_macro_f1"]

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            args=arguments(folder, num_train_epochs=epochs, eval_strategy="epoch", warmup_steps=0.1),
            train_dataset=train,
            eval_dataset=unseen,
            data_collator=collator,
            model_init=model,
            compute_metrics=lambda out: scores(np.asarray(out.predictions), np.asarray(out.label_ids)),
        )

        store = f"sqlite:///{folder}/optuna.db"
        began = time.time()
        trainer.hyperparameter_search(
            space, value, n_trials=trials, direction="maximize", backend="optuna", study_name="trainer", storage=store
        )
        return _ended(optuna.load_study(study_name="trainer", storage=store), began)


def by_moodline(encoder: str, data: Data, trials: int, epochs: int) -> list[Trial]:
    """The command itself, in this process."""
    from cli import app

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
        return _ended(optuna.load_study(study_name=study_name, storage=store), began)


def _ended(study: optuna.Study, began: float) -> list[Trial]:
    """Its complete and pruned trials. Optuna's times are UTC without saying so."""
    return [
        {"value": trial.value, "seconds": trial.datetime_complete.replace(tzinfo=UTC).timestamp() - began}
        for trial in study.trials
        if trial.value is not None and trial.datetime_complete is not None
    ]


def main() -> None:
    """Runs both sides, and says after what share of the Trainer's time moodline had its best value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--trainer", type=Path, default=Path("trainer.json"))
    given = parser.parse_args()
    data = read(given.data, given.texts)
    if not given.trainer.exists():
        torch.manual_seed(1)
        side = _timed(by_trainer, given.encoder, data, given.trials, given.epochs)
        given.trainer.write_text(json.dumps(side))
    sides = {
        "Trainer": json.loads(given.trainer.read_text()),
        "moodline": _timed(by_moodline, given.encoder, data, given.trials, given.epochs),
    }
    print(f"\n{machine()}\n{given.texts} texts, {given.trials} trials, {given.epochs} epochs\n")
    heads = ["", "trials", "best macro-F1", "seconds", "processor seconds", "median seconds a trial"]
    print(table([heads, *([name, *_summary(side)] for name, side in sides.items())]))
    best = max(t["value"] for t in sides["Trainer"]["trials"])
    whole = max(t["seconds"] for t in sides["Trainer"]["trials"])
    reached = [t["seconds"] for t in sides["moodline"]["trials"] if t["value"] >= best]
    if reached:
        print(f"\nmoodline had the Trainer's best after {min(reached):.0f} s, {min(reached) / whole:.2f} of its time")
    else:
        print("\nmoodline did not reach the Trainer's best value")


def _timed(search: Callable[..., list[Trial]], *given: Any) -> Side:
    began = time.process_time()
    return {"trials": search(*given), "processor_seconds": time.process_time() - began}


def _summary(side: Side) -> list[float]:
    ended = side["trials"]
    best, whole = max(t["value"] for t in ended), max(t["seconds"] for t in ended)
    return [len(ended), best, whole, side["processor_seconds"], _median_trial(ended)]


def _median_trial(ended: list[Trial]) -> float:
    seconds = sorted(trial["seconds"] for trial in ended)
    return statistics.median(b - a for a, b in zip([0.0, *seconds], seconds, strict=False))


if __name__ == "__main__":
    main()
