"""The page of a line, without the code of its plots."""

import re

RESULTS: list[dict[str, object]] = [
    {"model": "majority", "split": "test", "accuracy": 0.271, "macro_f1": 0.107, "note": None},
    {"model": "klue/roberta-base", "split": "gold", "accuracy": 0.684, "macro_f1": 0.601, "note": "simulated"},
]


FACTS: dict[str, dict[str, object]] = {
    "plan": {"name": "댓글 & more"},
    "labeller": {"model": "gemma", "kappa": {"value": 0.512, "low": 0.448, "high": 0.571}},
    "data": {"comments": 251_161, "dropped": {"empty text": 12}},
    "lineage": {"classifier": "3f9a77bd1cbe"},
    "hardware": {"device": "cpu"},
}


def without_plotly(page: str) -> str:
    return re.sub(r"<script>\s*/\*\*\s*\* plotly\.js.*?</script>", "", page, flags=re.DOTALL)
