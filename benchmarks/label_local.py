"""Comments a second that a local LM labels: moodline compared with generating, and with one pass per prompt and label.

python -m benchmarks.label_local [--comments 5000] [--peers 60] [--rounds 3] [--size small] [--device cpu]
python -m benchmarks.label_local --device cuda --size 4b --peak 989
A Gemma 3 from a configuration, with random weights; comments of the demo; a fixed prompt of 300 tokens. All
three take turns in one process. (a) `model.generate` for each comment with its whole prompt, as long as the longest
label; (b) one forward pass over prompt and label for each comment and label. Both run on fewer comments: their speed
does not depend on the number. Scores of (b) and moodline's are compared. Peak memory is of one process each that
labels 500 comments, or all. The share of the peak counts the operations that moodline computes, not those it saves.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from benchmarks.demo_models.tiny_tokenizers import byte_level, wrapped
from benchmarks.parts import machine, table
from stages.demo.corpus import LABELS, Size, make_corpus
from stages.label.labelling_loop import CHUNK
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.local.local_labeller import LocalLabeller
from transfer.labellers.prompt import render

# width, layers, heads, key-value heads, head width, inner width, rows of the embedding: 4b by google/gemma-3-4b-it's
# config.json
SHAPES = {
    "tiny": (64, 2, 2, 1, 32, 128, 3_000),
    "small": (192, 6, 3, 1, 64, 768, 3_000),
    "4b": (2560, 34, 8, 4, 256, 10_240, 262_208),
}
WINDOW, EVERY = 1024, 6  # of six layers, one sees all and five a window
FIXED = 300  # tokens of the prompt's fixed part, at least
TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>"]
PROMPT: dict[str, Any] = {
    "definitions": {
        "anger": "the writer is annoyed, outraged or hateful, at somebody, at something, or at the world",
        "sadness": "the writer is sad, disappointed, lonely or in grief, or shares the sadness of others",
        "neutral": "the writer states, asks or orders, and no feeling of the writer's shows in the words",
        "happiness": "the writer is glad, amused, thankful, proud or in love, or wishes others well",
    },
}
SENTENCE = " Judge what the writer feels, not what the comment is about."


def comments_of(n: int) -> list[str]:
    """`n` comments of the English demo."""
    corpus = make_corpus("en", 13, Size(comments=n + n // 10))
    return [row.text for row in corpus.comments if row.text][:n]  # some have lost theirs


def make_folder(folder: Path, size: str, texts: Sequence[str]) -> None:
    """Tokenizer and configuration, without weights."""
    settings = LabellerSettings.model_validate({"model": "m", "prompt": PROMPT}).prompt
    asked = [render(settings, LABELS, "") + f" {label}" for label in LABELS]
    tokenizer = byte_level([*texts[:5_000], *asked], 2_000, SPECIAL)
    width, layers, heads, pairs, head, inner, words = SHAPES[size]
    kinds = ["full_attention" if (i + 1) % EVERY == 0 else "sliding_attention" for i in range(layers)]
    config = Gemma3TextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=pairs,
        head_dim=head,
        query_pre_attn_scalar=head,
        sliding_window=WINDOW,
        layer_types=kinds,
        max_position_embeddings=8_192,
        initializer_range=0.1 if width < 1_000 else 0.02,
    )
    fast = wrapped(tokenizer, longest=8_192, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>")
    fast.save_pretrained(folder)
    config.save_pretrained(folder)


def labeller_of(folder: Path, device: str, dtype: str) -> LocalLabeller:
    """moodline's labeller with a prompt of FIXED tokens, its weights sampled on the device instead of read."""
    instruction = SENTENCE.strip()
    while True:
        prompt = {**PROMPT, "instruction": instruction}
        given = {"model": str(folder), "dtype": dtype, "prompt": prompt}
        labeller = LocalLabeller(LabellerSettings.model_validate(given), LABELS, device)
        if len(labeller.task([]).beginning) >= FIXED:
            break
        instruction += SENTENCE
    torch.manual_seed(0)
    with torch.device(device):
        config = Gemma3TextConfig.from_pretrained(folder)
        kind: Any = Gemma3ForCausalLM
        model = kind._from_config(config, dtype=getattr(torch, dtype))
    labeller.__dict__["model"] = model.eval()
    return labeller


def moodline(labeller: LocalLabeller, texts: Sequence[str]) -> torch.Tensor:
    """Probabilities, (N, K), computed as in `moodline label`."""
    found = torch.empty(len(texts), len(LABELS), dtype=torch.float64)
    for first in range(0, len(texts), CHUNK):
        for i, answer in labeller.answer(texts[first : first + CHUNK]):
            found[first + i] = torch.tensor(answer.probabilities, dtype=torch.float64)
    return found


def generated(labeller: LocalLabeller, texts: Sequence[str]) -> None:
    """(a) Each comment's answer generated, token by token."""
    task, model = labeller.task(texts), labeller.model
    longest = max(map(len, task.labels))
    for ids in task.prompts:
        row = torch.tensor([ids], device=model.device)
        with torch.inference_mode():
            model.generate(  # type: ignore[operator]
                row, attention_mask=torch.ones_like(row), max_new_tokens=longest, do_sample=False, pad_token_id=0
            )


def read_in_full(labeller: LocalLabeller, texts: Sequence[str]) -> torch.Tensor:
    """(b) Probabilities, (N, K), each label read after the whole prompt."""
    task, model = labeller.task(texts), labeller.model
    scores = torch.empty(len(texts), len(LABELS), dtype=torch.float64)
    for i, prompt in enumerate(task.prompts):
        for k, label in enumerate(task.labels):
            ids = torch.tensor([[*prompt, *label]], device=model.device)
            with torch.inference_mode():
                logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(label) + 1).logits[0, :-1].float()
            own = logits.log_softmax(-1).gather(-1, ids[0, -len(label) :, None])
            scores[i, k] = own.sum().double()
    return scores.softmax(-1)


def seconds(work: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Seconds that `work` takes, and its result. On a CPU processor time, which other load does not change."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    began = clock()
    found = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - began, found


class Operations:
    """Counts a model's floating-point operations while it is inside: 2 per weight and token, attention's products over
    the columns that there are, and the head's for the positions that are kept."""

    def __init__(self, model: Any, size: str) -> None:
        self.model, self.done = model, 0.0
        width, layers, heads, pairs, head, inner, words = SHAPES[size]
        self.weights = layers * (2 * width * heads * head + 2 * width * pairs * head + 3 * width * inner)
        self.per_column, self.per_position = 4 * layers * heads * head, 2 * width * words

    def __enter__(self) -> "Operations":
        self.hook = self.model.register_forward_pre_hook(self._count, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.hook.remove()

    def _count(self, _: Any, __: Any, given: dict[str, Any]) -> None:
        rows, columns = given["input_ids"].shape
        seen = given["attention_mask"].shape[1] if given.get("attention_mask") is not None else columns
        kept = given.get("logits_to_keep", columns)
        self.done += rows * (columns * (2 * self.weights + self.per_column * seen) + kept * self.per_position)


def compare(labeller: LocalLabeller, texts: Sequence[str], given: argparse.Namespace, dtype: str) -> None:
    """Takes turns, and prints speeds, ratios and differences."""
    few = [texts[i :: given.rounds][: max(1, given.peers // given.rounds)] for i in range(given.rounds)]
    speeds: dict[str, list[float]] = {"moodline": [], "(a) generate": [], "(b) forward per label": []}
    worst, same, operations, spent = 0.0, 0, 0.0, 0.0
    moodline(labeller, texts[:64])
    generated(labeller, texts[:1])
    for i, part in enumerate(few):
        own = texts[i :: given.rounds]
        with Operations(labeller.model, given.size) as counted:
            took, found = seconds(lambda own=own: moodline(labeller, own), given.device)  # type: ignore[misc]
        operations, spent = operations + counted.done, spent + took
        speeds["moodline"].append(len(own) / took)
        took, _ = seconds(lambda part=part: generated(labeller, part), given.device)  # type: ignore[misc]
        speeds["(a) generate"].append(len(part) / took)
        took, whole = seconds(lambda part=part: read_in_full(labeller, part), given.device)  # type: ignore[misc]
        speeds["(b) forward per label"].append(len(part) / took)
        worst = max(worst, float((found[: len(part)] - whole).abs().max()))
        same += int((found[: len(part)].argmax(1) == whole.argmax(1)).sum())
    rows: list[list[object]] = [["", "comments/s", "moodline is", "least", "most"]]
    for name, found_of in speeds.items():
        ratios = [ours / theirs for ours, theirs in zip(speeds["moodline"], found_of, strict=True)]
        middle = statistics.median(ratios)
        rows.append([name, statistics.median(found_of), f"{middle:.1f}x", f"{min(ratios):.1f}x", f"{max(ratios):.1f}x"])
    print(f"per second of the {'clock' if given.device == 'cuda' else 'processor'}, median of {given.rounds} rounds")
    print(table(rows))
    allowed, reached, n = TOLERANCE[dtype], operations / spent / 1e12, sum(map(len, few))
    print(f"\nlargest difference of a probability between moodline and (b): {worst:.1e} (tolerance {allowed:g}),")
    print(f"same label for {same} of {n} comments; {reached:.3g} TFLOPS")
    if given.peak:
        print(f"{reached / given.peak:.1%} of the card's peak", flush=True)
    if worst > allowed:
        sys.exit("the scores differ")


def peak_memory(given: argparse.Namespace, n: int) -> float:
    """Peak memory in MB of a new process that labels `n` comments."""
    words = ["--size", given.size, "--device", given.device, "--comments", str(given.comments), "--only", str(n)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.label_local", *words], check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comments", type=int, default=5_000)
    parser.add_argument("--peers", type=int, default=60, help="comments that the other two ways label")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=list(SHAPES), default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peak", type=float, help="the card's dense bf16 peak in TFLOPS")
    parser.add_argument("--only", type=int, help="label so many comments, and print the peak of memory in MB")
    given = parser.parse_args()
    dtype = "bfloat16" if given.device == "cuda" else "float32"
    texts = comments_of(given.comments)
    with tempfile.TemporaryDirectory() as folder:
        make_folder(Path(folder), given.size, texts)
        labeller = labeller_of(Path(folder), given.device, dtype)
    if given.only:
        moodline(labeller, texts[: given.only])
        on_card = torch.cuda.max_memory_allocated() / 1024**2 if given.device == "cuda" else None
        print(on_card or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    task = labeller.task(texts[:256])
    mean = statistics.mean(len(ids) for ids in task.prompts) - len(task.beginning)
    print(f"{machine()}\nGemma 3 ({given.size}, {dtype}) on {given.device}; {len(texts)} comments")
    print(f"fixed part {len(task.beginning)} tokens, the rest {mean:.0f}; labels {[*map(len, task.labels)]} tokens\n")
    compare(labeller, texts, given, dtype)
    few = min(500, len(texts))
    memory = [peak_memory(given, n) for n in (few, len(texts))]
    print(f"peak memory: {memory[0]:.0f} MB for {few} comments, {memory[1]:.0f} MB for {len(texts)}")


if __name__ == "__main__":
    main()
