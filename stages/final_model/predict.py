"""`moodline predict`: the final predictor on some texts."""

from collections.abc import Sequence

from stages.results.evaluation_result import Prediction, PredictionResult
from stages.runtime.predictor import final_predictor
from stages.runtime.run_context import Run
from transfer.errors import UserError
from transfer.text.cleaning import clean


def run_predict(run: Run, texts: Sequence[str], stage: str | None = None, model: str | None = None) -> PredictionResult:
    """Label and probabilities of each text, by the predictor that stages.runtime.predictor.final_predictor gives.

    Raises UserError for a text without a visible character.
    """
    cleaned = [clean(text) for text in texts]
    empty = [i for i, text in enumerate(cleaned) if not text]
    if empty or not texts:
        raise UserError(f"text {empty[0] + 1 if empty else 1} of {len(texts)} is empty", "give texts to classify")
    predictor = final_predictor(run, stage, model)
    labels, rows = run.plan.labels, predictor.probabilities(cleaned).tolist()
    predictions = [
        Prediction(text=text, label=labels[row.index(max(row))], probabilities=dict(zip(labels, row, strict=True)))
        for text, row in zip(texts, rows, strict=True)
    ]
    return PredictionResult(predictor=predictor.name, predictions=predictions)
