"""What a reader must know about a line, as plain sentences in English and Korean: how it was made, what it is not."""

from collections.abc import Sequence

from stages.line.index import weights_text
from stages.line.series import Line, Period, periods_of
from stages.line.words import CLUSTERS, FORMULA, PERIOD, Both, index_name

IS_NOT: list[Both] = [
    (
        "It speaks of groups and periods, never of persons: no author is scored, and authors stand here as "
        "counts only.",
        "집단과 기간을 말할 뿐, 개인을 말하지 않습니다. 어떤 작성자에게도 점수를 매기지 않으며, "
        "작성자는 수로만 나타납니다.",
    ),
    (
        "It diagnoses nobody and measures no illness: it counts the emotions that a model reads in texts.",
        "누구도 진단하지 않고 질병을 재지 않습니다. 모형이 글에서 읽어 낸 감정을 셀 뿐입니다.",
    ),
    (
        "It is not for moderating posts, nor for finding single people at risk.",
        "게시글을 걸러 내거나 위험에 놓인 개인을 찾는 데 쓰는 것이 아닙니다.",
    ),
    (
        "Those who comment are not the population; the line says nothing of those who stay silent.",
        "댓글을 쓰는 사람이 곧 전체 인구는 아닙니다. 이 선은 댓글을 쓰지 않는 사람에 대해 아무것도 말하지 않습니다.",
    ),
]


def method_texts(line: Line) -> list[Both]:
    """How the figures came about: counting, index, days, gaps."""
    settings = line.settings
    texts: list[Both] = [
        (
            "A comment counts for the one label that the model gives it (classify and count); a share is their "
            "number over all comments of the period.",
            "댓글마다 모형이 붙인 라벨 하나로 셉니다(분류 후 집계). 비율은 그 수를 "
            "해당 기간의 전체 댓글 수로 나눈 값입니다.",
        ),
        index_note(line),
        (
            f"Days, weeks (from Monday) and months are those of {settings.timezone}.",
            f"일, 주(월요일 시작), 월은 {settings.timezone} 시간대를 따릅니다.",
        ),
        _gaps_text(line),
    ]
    return texts


def index_note(line: Line) -> Both:
    """How to read the index, for the line below its plot; the same words stand in the method."""
    weights = line.settings.weights
    if weights is None:
        return (
            "There is no index, because the plan gives no weights (index.weights); shares only.",
            "계획에 가중치(index.weights)가 없어 지수는 없고 비율만 있습니다.",
        )
    english, korean = index_name(line.settings)
    return (
        f"{english} = {FORMULA[0]}, so 0 to 100 with 50 (dashed) neutral. Weights: {weights_text(weights)}.",
        f"{korean} = {FORMULA[1]}. 0에서 100까지이며 50(점선)이 중립입니다. 가중치: {weights_text(weights)}.",
    )


def _gaps_text(line: Line) -> Both:
    counts = [(every, periods_of(line, every)) for every in line.settings.every]
    gaps = [(every, sum(period.is_gap for period in periods), len(periods)) for every, periods in counts]
    least = line.settings.min_comments
    english = ", ".join(f"{gap} of {of} {PERIOD[every][0]}s" for every, gap, of in gaps)
    korean = ", ".join(f"{PERIOD[every][1]} {of}개 중 {gap}개" for every, gap, of in gaps)
    return (
        f"A period with fewer than {least} comments is a gap and is never interpolated: {english}.",
        f"댓글이 {least}개보다 적은 기간은 비워 두며 보간하지 않습니다: {korean}.",
    )


def limits_texts(line: Line) -> list[Both]:
    """What the intervals hold, and plainly what they do not."""
    settings = line.settings
    english, korean = _clusters(line)
    return [
        (
            f"The bands are 95 % percentile intervals from {settings.bootstrap} Poisson bootstrap resamples over "
            f"{english}. They hold one thing: how far the figures would move had others commented. Where a period "
            f"has fewer than {settings.min_clusters} of them, no interval is given.",
            f"띠는 {korean} 단위의 포아송 부트스트랩 {settings.bootstrap}회로 얻은 95 % 백분위 구간입니다. "
            f"다른 사람들이 댓글을 썼더라면 수치가 얼마나 달라졌을지, 그것만을 담습니다. "
            f"그 수가 {settings.min_clusters}보다 적은 기간에는 구간을 내지 않습니다.",
        ),
        (
            "They do not hold the classifier's own errors: a label that the model gives too often, or too rarely, "
            "shifts its whole line, and no band shows that. The shares are not corrected for it. Read movements "
            "rather than levels, and be careful where the kind of comments changes.",
            "분류기 자체의 오류는 담지 않습니다. 모형이 어떤 라벨을 너무 자주 또는 너무 드물게 붙이면 선 전체가 "
            "옮겨 가지만 띠에는 드러나지 않으며, 비율은 이를 보정하지 않은 값입니다. 높낮이보다 움직임을 읽고, 댓글의 "
            "성격이 바뀌는 때에는 조심해서 보십시오.",
        ),
    ]


def _clusters(line: Line) -> Both:
    """By what comments are resampled, in the order in which it is looked for."""
    kinds = [CLUSTERS[kind] for kind, rows in line.clustered.items() if rows]
    return ", else ".join(english for english, _ in kinds), ", 없으면 ".join(korean for _, korean in kinds)


def footnotes(line: Line, periods: Sequence[Period]) -> list[Both]:
    """The same in short, for below a printed picture of these periods."""
    clusters = _clusters(line)
    notes = [
        _counts_note(line, periods),
        (
            f"Shares count predicted labels. Bands: 95 % intervals, bootstrap over {clusters[0]}; "
            "they do not hold the classifier's own errors.",
            f"비율은 모형이 붙인 라벨을 센 값입니다. 띠는 {clusters[1]} 단위 부트스트랩 95 % 구간이며, "
            "분류기 자체의 오류는 담지 않습니다.",
        ),
    ]
    return [*notes, index_note(line)]


def _counts_note(line: Line, periods: Sequence[Period]) -> Both:
    settings = line.settings
    english, korean = f"{line.n:,} dated comments", f"날짜가 있는 댓글 {line.n:,}개"
    if line.undated:
        english += f", {line.undated:,} more without a usable time"
        korean += f"(날짜를 알 수 없는 {line.undated:,}개 제외)"
    english += f". Days are those of {settings.timezone}."
    korean += f", {settings.timezone} 시간대."
    gaps = sum(period.is_gap for period in periods)
    if gaps:
        name = PERIOD[periods[0].every]
        english += f" {gaps} {name[0]}s with fewer than {settings.min_comments} comments are left as gaps."
        korean += f" 댓글이 {settings.min_comments}개보다 적은 {name[1]} 단위 {gaps}개는 비워 두었습니다."
    return english, korean
