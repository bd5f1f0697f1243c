"""What a reader must know about a line, as plain sentences in English and Korean: how it was made, what it is not."""

from collections.abc import Sequence

from stages.monitor.analysis.weight_sensitivity import DRAWS, sensitivity
from stages.monitor.report.messages import CLUSTERS, FORMULA, METHODS, PERIOD, REASONS, Both, index_name
from stages.monitor.schema.emotion_index import weights_text
from stages.monitor.schema.line import Line, Period, is_whole, periods_of

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


ASSUMPTIONS: dict[str, Both] = {
    "raw": (
        "A comment counts for the one label that the model gives it (classify and count); a share is their "
        "number over all comments of the period.",
        "댓글마다 모형이 붙인 라벨 하나로 셉니다(분류 후 집계). 비율은 그 수를 해당 기간의 전체 댓글 수로 "
        "나눈 값입니다.",
    ),
    "means": (
        "A share is the mean of the label's predicted probability over the comments of the period.",
        "비율은 해당 기간 댓글들에 대해 모형이 예측한 확률의 평균입니다.",
    ),
    "acc": (
        "Counts are taken back through the confusion matrix that the judged comments show (ACC). It holds as far as "
        "the model errs alike on comments of one emotion in every period.",
        "판정된 댓글에서 얻은 혼동 행렬로 집계를 되돌립니다(ACC). 한 감정의 댓글에서 모형이 모든 기간에 "
        "똑같이 틀린다는 "
        "가정에 기댑니다.",
    ),
    "pacc": (
        "Means of probabilities are taken back through what the judged comments show of them (PACC). It holds as far "
        "as the model errs alike on comments of one emotion in every period.",
        "판정된 댓글에서 얻은 관계로 확률의 평균을 되돌립니다(PACC). 한 감정의 댓글에서 모형이 모든 기간에 "
        "똑같이 틀린다는 "
        "가정에 기댑니다.",
    ),
    "em": (
        "Posteriors calibrated on the judged comments are fitted to each period's shares by expectation maximisation "
        "(SLD). It holds as far as comments of one emotion look alike in every period.",
        "판정된 댓글로 보정한 사후 확률을 기댓값 최대화로 기간별 비율에 맞춥니다(SLD). 한 감정의 댓글이 모든 "
        "기간에 비슷하다는 "
        "가정에 기댑니다.",
    ),
    "ppi": (
        "Means of probabilities are moved by the mean error in a random sample judged by people (prediction-powered "
        "inference). That is right for all comments together; for a single period only as far as the mean error is "
        "the same in all, which it is not where the emotions shift much.",
        "사람이 판정한 무작위 표본에서의 평균 오차만큼 확률의 평균을 옮깁니다(예측 기반 추론). 전체 댓글에 "
        "대해서는 옳지만, "
        "개별 기간에 대해서는 평균 오차가 모든 기간에 같을 때만 옳으며 감정이 크게 바뀌면 그렇지 않습니다.",
    ),
}
OTHER_DOMAIN: Both = (
    "The model's errors were measured on the original validation split, another domain than the comments: the "
    "assumption behind the correction is broken, and its intervals promise more than they hold.",
    "모형의 오류를 댓글과 다른 분야인 원본 검증 자료에서 쟀습니다. 보정의 전제가 깨졌으므로 구간은 "
    "실제보다 좁게 보입니다.",
)


def method_texts(line: Line) -> list[Both]:
    """How the figures came about: counting, correction, index, days, gaps."""
    settings, choice = line.settings, line.choice
    texts: list[Both] = [choice.why, ASSUMPTIONS[choice.drawn]]
    if line.is_corrected:
        texts.append(_judged_text(line))
    if is_of_other_domain(line):
        texts.append(OTHER_DOMAIN)
    return [
        *texts,
        index_note(line),
        (
            f"Days, weeks (from Monday) and months are those of {settings.timezone}.",
            f"일, 주(월요일 시작), 월은 {settings.timezone} 시간대를 따릅니다.",
        ),
        _gaps_text(line),
        *_unfinished_texts(line),
        *removed_texts(line),
        *_weights_texts(line),
    ]


def _weights_texts(line: Line) -> list[Both]:
    """How much the index hangs on its weights."""
    found = sensitivity(line)
    if found is None:
        return []
    english, korean = PERIOD[found.every]
    return [
        (
            f"Were each weight off by up to a quarter of the largest, the index of a {english} would move by at most "
            f"{found.points:.1f} points, its course would correlate with this one at {found.correlation:.2f} or "
            f"more, and {100 * found.same_way:.0f} % of its steps would go the same way (95 % of {DRAWS} draws).",
            f"각 가중치가 가장 큰 가중치의 4분의 1까지 달라져도 {korean} 단위 지수는 {found.points:.1f}점 "
            "넘게 움직이지 않고, "
            f"흐름의 상관은 {found.correlation:.2f} 이상이며, {100 * found.same_way:.0f} %의 변화가 같은 방향입니다"
            f"({DRAWS}회 추출의 95 %).",
        )
    ]


def removed_texts(line: Line) -> list[Both]:
    """What author caps and floods left out, and what the whole would have been with it."""
    settings, removed = line.settings, line.removed
    texts: list[Both] = []
    if settings.flood is not None and not removed.sees_floods:
        texts.append(
            (
                "Floods of copied comments were not looked for: these shards, made by an older version, do not tell "
                "near-duplicates.",
                "복제된 댓글의 범람은 살피지 않았습니다. 이전 버전이 만든 자료라 비슷한 글을 알 수 없습니다.",
            )
        )
    if not removed.rows:
        return texts
    english = ", ".join(f"{REASONS[reason][0]} {n:,}" for reason, n in removed.rows.items())
    korean = ", ".join(f"{REASONS[reason][1]} {n:,}개" for reason, n in removed.rows.items())
    limits = f"index.author_cap: {settings.author_cap}, index.flood: {settings.flood}"
    before, after = _effect(line)
    return [
        *texts,
        (
            f"Left out: {english} ({limits}). With them, as counted: {before}; without: {after}.",
            f"제외한 댓글: {korean} ({limits}). 센 그대로의 값은 포함하면 {before}, 제외하면 {after}입니다.",
        ),
    ]


def _effect(line: Line) -> tuple[str, str]:
    """Shares as counted over the whole time, with and without what was left out."""
    without = {label: line.counts[label] for label in line.labels}
    whole = {label: line.counts[label] + line.removed.counts[label] for label in line.labels}
    told = [
        ", ".join(f"{label} {100 * n / max(1, sum(counts.values())):.1f} %" for label, n in counts.items())
        for counts in (whole, without)
    ]
    return told[0], told[1]


def is_of_other_domain(line: Line) -> bool:
    """Whether the correction rests on texts that are no comments."""
    return line.is_corrected and line.judged is not None and line.judged.kind == "validation"


def _judged_text(line: Line) -> Both:
    rows = ", ".join(f"{label} {n:,}" for label, n in line.choice.rows.items())
    total = sum(line.choice.rows.values())
    if is_of_other_domain(line):
        return (
            f"The correction rests on {total:,} texts of the original validation split, which trained nothing and "
            f"helped to choose the model: {rows}.",
            f"보정은 학습에 쓰지 않았으나 모형을 고르는 데 쓴 원본 검증 자료의 글 {total:,}개에 기댑니다: {rows}.",
        )
    return (
        f"The correction rests on {total:,} comments judged by people, which trained nothing: {rows}.",
        f"보정은 학습에 쓰지 않은, 사람이 판정한 댓글 {total:,}개에 기댑니다: {rows}.",
    )


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


def bold_note(line: Line) -> Both:
    """What the bold lines are, and what the thin ones."""
    english, korean = METHODS[line.choice.drawn]
    if line.beside is None:
        return f"Lines: {english}.", f"선: {korean}."
    thin = METHODS[line.beside]
    return f"Bold: {english}. Thin, dotted: {thin[0]}.", f"굵은 선: {korean}. 가는 점선: {thin[1]}."


def _gaps_text(line: Line) -> Both:
    counts = [(every, periods_of(line, every)) for every in line.settings.every]
    gaps = [(every, sum(period.is_gap for period in periods), len(periods)) for every, periods in counts]
    least = line.settings.min_comments
    english = ", ".join(f"{gap} of {of} {PERIOD[every][0]}s" for every, gap, of in gaps)
    korean = ", ".join(f"{PERIOD[every][1]} {of}개 중 {gap}개" for every, gap, of in gaps)
    return (
        f"A period with fewer than {least} comments is a gap and is never interpolated: {english}. So is one by "
        f"fewer than {line.settings.min_clusters} authors.",
        f"댓글이 {least}개보다 적은 기간은 비워 두며 보간하지 않습니다: {korean}. 작성자가 "
        f"{line.settings.min_clusters}명보다 적은 기간도 마찬가지입니다.",
    )


def _unfinished_texts(line: Line) -> list[Both]:
    """Which first and last periods the comments do not reach across."""
    found = [
        (str(period.start), PERIOD[every])
        for every in line.settings.every
        for period in periods_of(line, every)
        if not is_whole(line, period)
    ]
    if not found:
        return []
    english = ", ".join(f"the {name[0]} of {start}" for start, name in found)
    korean = ", ".join(f"{start}의 {name[1]}" for start, name in found)
    return [
        (
            f"The comments go from {line.first} to {line.last} and do not reach across {english}: drawn from the part "
            "there is, and in neither forecast nor changes of level.",
            f"댓글은 {line.first}부터 {line.last}까지라 {korean}은(는) 온전하지 않습니다. 있는 만큼으로 그리되 "
            "예측과 수준 변화에는 쓰지 않습니다.",
        )
    ]


WITHOUT_ERRORS: Both = (
    "They do not hold the classifier's own errors: a label that the model gives too often, or too rarely, "
    "shifts its whole line, and no band shows that. The shares are not corrected for it. Read movements "
    "rather than levels, and be careful where the kind of comments changes.",
    "분류기 자체의 오류는 담지 않습니다. 모형이 어떤 라벨을 너무 자주 또는 너무 드물게 붙이면 선 전체가 "
    "옮겨 가지만 띠에는 드러나지 않으며, 비율은 이를 보정하지 않은 값입니다. 높낮이보다 움직임을 읽고, 댓글의 "
    "성격이 바뀌는 때에는 조심해서 보십시오.",
)
WITH_ERRORS: Both = (
    "They also hold how well the classifier's errors are known: the correction is fitted anew on the judged comments "
    "resampled, each time. That part is common to all periods, so two periods differ more surely than their bands "
    "suggest. What no band holds: that the model may err otherwise on comments of another time or kind than "
    "those judged.",
    "분류기의 오류를 얼마나 잘 아는지도 담습니다. 판정된 댓글을 다시 뽑을 때마다 보정을 새로 맞춥니다. "
    "이 부분은 모든 기간에 "
    "공통이므로, 두 기간의 차이는 띠가 보여 주는 것보다 확실합니다. 판정된 댓글과 시기나 성격이 다른 "
    "댓글에서 모형이 달리 "
    "틀릴 수 있다는 점은 어떤 띠에도 담기지 않습니다.",
)


def limits_texts(line: Line) -> list[Both]:
    """What the intervals hold, and plainly what they do not."""
    settings = line.settings
    english, korean = _clusters(line)
    bands = (
        f"The bands are 95 % percentile intervals from {settings.bootstrap} Poisson bootstrap resamples over "
        f"{english}: how far the figures would move had others commented. Where a period "
        f"has fewer than {settings.min_clusters} of them, no interval is given.",
        f"띠는 {korean} 단위의 포아송 부트스트랩 {settings.bootstrap}회로 얻은 95 % 백분위 구간입니다. "
        f"다른 사람들이 댓글을 썼더라면 수치가 얼마나 달라졌을지를 담습니다. "
        f"그 수가 {settings.min_clusters}보다 적은 기간에는 구간을 내지 않습니다.",
    )
    return [bands, WITH_ERRORS if line.is_corrected else WITHOUT_ERRORS]


def _clusters(line: Line) -> Both:
    """By what comments are resampled, in the order in which it is looked for."""
    kinds = [CLUSTERS[kind] for kind, rows in line.clustered.items() if rows]
    return ", else ".join(english for english, _ in kinds), ", 없으면 ".join(korean for _, korean in kinds)


def footnotes(line: Line, periods: Sequence[Period]) -> list[Both]:
    """The same in short, for below a printed picture of these periods."""
    clusters = _clusters(line)
    notes = [
        _counts_note(line, periods),
        _bands_note(line, clusters),
        *([OTHER_DOMAIN] if is_of_other_domain(line) else []),
    ]
    return [*notes, index_note(line)]


def _bands_note(line: Line, clusters: Both) -> Both:
    if not line.is_corrected:
        return (
            f"Shares count predicted labels. Bands: 95 % intervals, bootstrap over {clusters[0]}; "
            "they do not hold the classifier's own errors.",
            f"비율은 모형이 붙인 라벨을 센 값입니다. 띠는 {clusters[1]} 단위 부트스트랩 95 % 구간이며, "
            "분류기 자체의 오류는 담지 않습니다.",
        )
    english, korean = METHODS[line.choice.drawn]
    total = sum(line.choice.rows.values())
    texts = ("original texts", "원본 글") if is_of_other_domain(line) else ("comments", "댓글")
    return (
        f"Bold: {english}, corrected by {total:,} judged {texts[0]}; thin: as counted. Bands: 95 % intervals, "
        f"bootstrap over {clusters[0]} and the judged {texts[0]}.",
        f"굵은 선: 판정된 {texts[1]} {total:,}개로 고친 {korean}; 가는 선: 센 그대로. 띠는 {clusters[1]}와 판정된 "
        f"{texts[1]}에 대한 "
        "부트스트랩 95 % 구간입니다.",
    )


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
    partial = [period for period in periods if not is_whole(line, period)]
    if partial:
        name, days = PERIOD[partial[0].every], ", ".join(str(period.start) for period in partial)
        english += f" Not whole: the {name[0]} of {days}."
        korean += f" 온전하지 않은 기간: {days}의 {name[1]}."
    return english, korean
