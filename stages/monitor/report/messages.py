"""What page and picture say on their own account, in English and Korean, each written once, side by side."""

import re
from collections.abc import Sequence
from html import escape
from typing import Literal

from stages.monitor.schema.index_settings import IndexSettings

Both = tuple[str, str]  # English, Korean; plain text
Language = Literal["en", "ko"]

DEFAULT_NAME: Both = (str(IndexSettings.model_fields["name"].default), "표현 감정 지수")

PERIOD: dict[str, Both] = {"day": ("day", "일"), "week": ("week", "주"), "month": ("month", "월")}
VOLUME: dict[str, Both] = {
    "day": ("Comments per day", "하루 댓글 수"),
    "week": ("Comments per week", "주간 댓글 수"),
    "month": ("Comments per month", "월간 댓글 수"),
}
CLUSTERS: dict[str, Both] = {
    "author": ("authors", "작성자"),
    "source": ("sources", "출처"),
    "comment": ("single comments", "댓글 하나하나"),
}
METHODS: dict[str, Both] = {
    "raw": ("as counted (classify and count)", "센 그대로(분류 후 집계)"),
    "means": ("means of the probabilities", "확률의 평균"),
    "acc": ("adjusted counts", "보정한 집계(ACC)"),
    "pacc": ("adjusted probabilities", "보정한 확률(PACC)"),
    "em": ("expectation maximisation", "기댓값 최대화(EM)"),
    "ppi": ("prediction-powered", "예측 기반 추론(PPI)"),
}
USUAL_REASONS: dict[str, Both] = {
    "raw": (
        "it is what the model said, comment by comment, with whatever errors it makes.",
        "모형이 댓글마다 말한 그대로이며, 모형의 오류도 그대로 담고 있습니다.",
    ),
    "means": (
        "it counts a doubtful comment for each label as far as the model believes in it.",
        "애매한 댓글을 모형이 믿는 만큼씩 여러 라벨로 셉니다.",
    ),
    "acc": (
        "counts carry the classifier's errors into every share; this takes out those that judged comments show.",
        "그냥 세면 분류기의 오류가 모든 비율에 들어갑니다. 판정된 댓글에서 드러난 오류를 뺀 값입니다.",
    ),
    "pacc": (
        "counts carry the classifier's errors into every share; this takes out those that judged comments show, and "
        "asks for less than expectation maximisation does.",
        "그냥 세면 분류기의 오류가 모든 비율에 들어갑니다. 판정된 댓글에서 드러난 오류를 뺀 값이며, 기댓값 "
        "최대화보다 가정이 적습니다.",
    ),
    "em": (
        "counts carry the classifier's errors into every share; this takes them out with the smallest error where "
        "posteriors can be calibrated.",
        "그냥 세면 분류기의 오류가 모든 비율에 들어갑니다. 사후 확률을 보정할 수 있을 때 오차가 가장 작은 방법입니다.",
    ),
    "ppi": (
        "the judged comments are a random sample, so that all comments together are estimated without bias.",
        "판정된 댓글이 무작위 표본이므로 전체 댓글에 대해 치우치지 않은 추정입니다.",
    ),
}
REASONS: dict[str, Both] = {
    "flood by author": ("near-duplicates by one author", "한 작성자의 비슷한 글"),
    "flood on source": ("near-duplicates on one source", "한 출처의 비슷한 글"),
    "flood in hour": ("near-duplicates in one hour", "한 시간 안의 비슷한 글"),
    "author cap": ("above an author's daily cap", "작성자의 하루 한도를 넘은 글"),
}
FORECAST: Both = ("forecast, 95 % interval", "예측, 95 % 구간")
NEUTRAL: Both = ("50 = neutral", "50 = 중립")
SCALE: Both = ("0 to 100", "0에서 100까지")
FORMULA: Both = (
    "50 + 50 × Σ weight(label) × share(label) / max |weight|",
    "50 + 50 × Σ 가중치(라벨) × 비율(라벨) / max |가중치|",
)
ESTIMATE: Both = ("Estimate", "추정")
SOURCE: Both = ("Source", "출처")
SHARES: Both = ("Share of comments per emotion", "감정별 댓글 비율")
NOTHING_DRAWN: Both = (
    "No period has enough comments to be drawn.",
    "그릴 만큼 댓글이 있는 기간이 없습니다.",
)
COMMENTS: Both = ("comments", "댓글")

HEADINGS: dict[str, Both] = {
    "results": ("Results of the models", "모형의 성능"),
    "labeller": ("Labeller", "라벨을 붙인 모형"),
    "data": ("Data", "자료"),
    "method": ("Method", "방법"),
    "lineage": ("Lineage", "계보"),
    "limits": ("What the intervals hold, and what they do not", "구간이 담는 것과 담지 않는 것"),
    "not": ("What this is not", "이 페이지가 하지 않는 것"),
    "estimates": ("All estimates, over the whole time", "전체 기간의 모든 추정"),
    "others": ("The index beside other series", "다른 시계열과 나란히 본 지수"),
    "forecast": ("A short forecast, and how it would have done so far", "짧은 예측과 지금까지의 적중"),
    "events": ("Events", "사건"),
    "words": ("Words that carry each emotion", "감정마다 두드러진 낱말"),
    "standing": ("Periods that stand out, and their words", "두드러진 기간과 그때의 낱말"),
    "shards": ("Shards of classified comments", "분류된 댓글 조각"),
    "changes": ("Changes of level", "수준의 변화"),
    "sources": ("Sources with the most comments", "댓글이 가장 많은 출처"),
    "table": ("The figures as a table", "수치 표"),
}
COLUMNS: dict[str, Both] = {
    "model": ("Model", "모형"),
    "split": ("Measured on", "평가 자료"),
    "accuracy": ("Accuracy", "정확도"),
    "macro_f1": ("Macro-F1", "매크로 F1"),
    "note": ("Note", "비고"),
}
ROWS: dict[str, Both] = {
    "kappa": ("κ with gold (Cohen), 95 % interval", "골드와의 κ(코헨), 95 % 구간"),
    "model": ("model", "모형"),
    "accuracy": ("accuracy", "정확도"),
    "macro_f1": ("macro-F1", "매크로 F1"),
    "comments": ("comments", "댓글"),
    "different texts": ("different texts", "서로 다른 글"),
    "left out": ("left out", "제외"),
    "without a date": ("without a date", "날짜 없음"),
    "labelled": ("labelled", "라벨을 붙인 댓글"),
    "predictor": ("predictor", "분류 모형"),
}


def shares_of_most(shown: int, labels: int) -> Both:
    """The heading of a plot that shows only some labels."""
    return f"{SHARES[0]} (the {shown} most frequent of {labels})", f"{SHARES[1]} ({labels}개 중 가장 많은 {shown}개)"


def index_name(settings: IndexSettings) -> Both:
    """The index's name; the default one is translated, a name from the plan stands as it is."""
    return DEFAULT_NAME if settings.name == DEFAULT_NAME[0] else (settings.name, settings.name)


def language_of(labels: Sequence[str]) -> Language:
    """The language to begin with: Korean where a label is written in Hangul, else English."""
    return "ko" if re.search("[가-힣]", "".join(labels)) else "en"


def said(text: Both, language: Language) -> str:
    return text[1] if language == "ko" else text[0]


def both(text: Both) -> str:
    """HTML that holds both languages, escaped; the page's style shows one of them."""
    english, korean = escape(text[0]), escape(text[1])
    if english == korean:
        return english
    return f'<span lang="en">{english}</span><span lang="ko">{korean}</span>'
