"""Which engine classifies each model of the predictor: as the plan says, or chosen by measuring, recorded, kept to."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from stages.infer.executors import ExecutorChoice
from stages.plan.plan_settings import InferSettings
from stages.runtime.predictor import Predictor, making_of
from stages.runtime.run_context import Run
from storage.records.measured_choices import choice, record_choice
from storage.records.model_registry import ModelRecord
from studies.lasting_names import lasting_model_name
from transfer.encoders.tokenization import Tokens, encode
from transfer.engines.engine_benchmark import REFERENCE, Measured, fastest
from transfer.engines.engine_factory import Member, open_engine, ways_here
from transfer.engines.inference_engine import Engine, Way
from transfer.errors import UserError

# Measuring takes about as long as torch takes for so many texts; with fewer than ten times as many it does not pay.
MEASURED_FROM = 20_000
SAMPLE = 1_000  # texts by which ways are compared: five labels may differ, and two net of one another
CALIBRATION = 300  # other texts, for int8


def choose_team(run: Run, predictor: Predictor, texts: Sequence[str]) -> ExecutorChoice:
    """The predictor's models, each with the way in which it is computed from now on.

    texts: different ones of those to be classified; with fewer than MEASURED_FROM torch may do them unmeasured. A way
    that was measured is recorded in the store, and kept to by whoever goes on. Raises UserError where nothing that the
    plan allows gives float32's labels, or a recorded engine is not installed here.
    """
    few = len(texts) < MEASURED_FROM
    texts = spread(texts)
    members = [member_of(run, record) for record in predictor.records]
    known = zip(predictor.records, members, strict=True)
    ways = [_way(run, record, member, texts, few) for record, member in known]
    return ExecutorChoice(members, ways, predictor.how)


def member_of(run: Run, record: ModelRecord) -> Member:
    """Where a kept model lies on this machine, and where what is converted of it goes."""
    made = run.cache / "engines" / making_of(record) / lasting_model_name(record.name).replace("/", "-")
    return Member(run.files.fetch(record.path), int(record.recipe["max_length"]), made)


def _way(run: Run, record: ModelRecord, member: Member, texts: Sequence[str], few: bool) -> Way:
    settings = run.plan.infer
    asked = f"{settings.engine} {settings.precision}"
    name = f"engine {record.name} {record.lineage.get('fingerprint')} {asked}"
    kept = choice(run.engine, run.plan.name, name)
    if kept is not None:
        way = _kept(kept, asked)
        if way.is_int8:  # what was quantised may be deleted, and needs texts to be made again
            open_engine(way, member, lambda: _calibration(member, texts))
        return way
    allowed = [way for way in ways_here() if _fits(way, settings)]
    if not allowed:
        raise _nothing(settings)
    if few and _is_plain(settings):
        return _plain(member, settings)
    if allowed == [REFERENCE]:
        return REFERENCE
    way, measured = _measured(run, member, allowed, texts)
    value = {"way": asdict(way), "texts": min(len(texts), SAMPLE), "measured": [_told(found) for found in measured]}
    return Way(**record_choice(run.engine, run.plan.name, name, value)["way"])


def _fits(way: Way, settings: InferSettings) -> bool:
    precision = "int8" if way.is_int8 else way.precision
    return settings.engine in {"auto", way.engine} and settings.precision in {"auto", precision}


def _is_plain(settings: InferSettings) -> bool:
    """Whether torch may do it in its own precision, which needs no measuring."""
    return settings.engine in {"auto", "torch"} and settings.precision in {"auto", "float32"}


def _plain(member: Member, settings: InferSettings) -> Way:
    from transformers import AutoConfig

    from transfer.device.device import SMALLEST_BF16_WIDTH, device_name, has_bf16

    config = AutoConfig.from_pretrained(member.folder, trust_remote_code=False)
    is_wide = int(getattr(config, "hidden_size", 0)) >= SMALLEST_BF16_WIDTH
    quick = settings.precision == "auto" and is_wide and has_bf16(device_name())
    return Way("torch", "bfloat16" if quick else "float32")


def _kept(kept: dict[str, Any], asked: str) -> Way:
    way, here = Way(**kept["way"]), ways_here()
    # what was quantised in part runs wherever int8 does, also where it would not be offered
    is_there = way.engine == "torch" or way in here or (way.is_int8 and Way(way.engine, "int8") in here)
    if not is_there:
        raise UserError(
            f"infer.engine: {asked} came to {way} when this inference began, and that cannot be had here",
            f"install the extra: pip install 'moodline[{way.engine}]'",
            "or begin this stage again with what is here: --anew infer",
        )
    return way


def _measured(run: Run, member: Member, allowed: Sequence[Way], texts: Sequence[str]) -> tuple[Way, list[Measured]]:
    sample = texts[:SAMPLE]
    run.report.message(f"measuring {len(allowed)} ways to compute {member.folder.name} with {len(sample)} comments")

    def open_way(way: Way) -> Engine:
        return open_engine(way, member, lambda: _calibration(member, texts))

    way, found = fastest(allowed, open_way, _tokens(member, sample), run.report.message)
    run.report.message(f"classifying with {way}")
    return way, found


def _calibration(member: Member, texts: Sequence[str]) -> Tokens:
    """Of texts that are not compared with, where there are enough."""
    return _tokens(member, texts[SAMPLE : SAMPLE + CALIBRATION] or texts[:CALIBRATION])


def _tokens(member: Member, texts: Sequence[str]) -> Tokens:
    from transformers import AutoConfig

    from transfer.encoders.model import load_tokenizer, longest_input

    tokenizer = load_tokenizer(str(member.folder))
    longest = longest_input(AutoConfig.from_pretrained(member.folder, trust_remote_code=False), tokenizer)
    return encode(texts, tokenizer, min(member.max_length or longest, longest))


def _told(found: Measured) -> dict[str, Any]:
    figures = {"texts_per_second": round(found.texts_per_second, 1), "agreement": found.agreement, "shift": found.shift}
    return {"way": str(found.way), "taken": found.agrees, **({"problem": found.problem} if found.problem else figures)}


def _nothing(settings: InferSettings) -> UserError:
    here = ", ".join(map(str, ways_here()))
    lines = [f"here there are: {here}"]
    if settings.engine in {"openvino", "onnx"}:
        lines.append(f"install the extra: pip install 'moodline[{settings.engine}]'")
    return UserError(f"infer.engine: {settings.engine} with precision {settings.precision} cannot be had here", *lines)


def spread(texts: Sequence[str], n: int = SAMPLE + CALIBRATION) -> list[str]:
    """At most n of the texts, in an order drawn once, so that any beginning is a sample of all."""
    order = np.random.default_rng(0).permutation(len(texts))[:n]
    return [texts[int(i)] for i in order]
