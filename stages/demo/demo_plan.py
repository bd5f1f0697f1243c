"""The demo's plan: every line with what it means, for somebody who reads a plan for the first time."""

from stages.demo.corpus import LABELS
from stages.demo.demo_size import Size
from stages.demo.tiny_encoders import ENCODERS
from stages.demo.tiny_lm import NAMES

# the comments' times are written in it; UTC for English, as those commenters live everywhere
TIME_ZONES = {"ko": "Asia/Seoul", "en": "UTC"}

_PLAN = """\
# A plan names the data, the pretrained encoders and how much to try. `moodline run plan.yaml` does the rest, and does
# it again only where something is missing. Paths are relative to this file.

name: {name}                    # names the run, its studies and its page
workspace: runs                  # all that a run writes: store, weights, predictions, the page
seed: {seed}                         # the same seed, data and machine: the same numbers
labels: [{labels}]  # the emotions, in the order of all tables

original:                        # labelled text from another domain: formal dialogue
  train:                         # files read as one corpus, each with the names of its columns
    - {{path: data/original.csv, text: text, label: label}}
  validation: 0.15               # share held out for choosing between trials
  test: 0.15                     # share read once, at the end, for reporting

comments:                        # what you want to know the mood of: no labels, dates in local time
  - {{path: data/comments.parquet, id: id, text: text, time: written_at, author: author, source: video}}

gold:                            # a few comments labelled by hand: they measure, and never train
  path: data/gold.csv            # csv, tsv, xlsx, json, jsonl or parquet
  id: id                         # names of its columns
  text: text
  label: label
  random_sample: true            # drawn at random, so it may correct the line's shares

candidates:                      # pretrained encoders: folders, or names on the hub such as klue/roberta-base
{candidates}

search:                          # stage one: the best fine-tune of each candidate on the original data
  trials: 4                      # fine-tunes per candidate; 20 or more in earnest
  keep: 3                        # weights kept on disk per candidate
  space:                         # what is tried; these suit encoders as tiny as the demo's and no others
    learning_rate: {{low: 5.0e-4, high: 3.0e-3, log: true}}  # encoders of the usual size want 1e-5 to 3e-4
    epochs: {{low: 2, high: 4}}    # passes over the training data
    batch_size: 32               # texts per optimiser step
    dropout: {{low: 0.0, high: 0.2}}  # share of activations left out in training
    max_length: 64               # tokens; longer texts are cut
    frozen_layers: 0             # layers left as pretrained

pseudo_label:                    # an LLM labels a sample of the comments
  labeller:                      # a causal LM: a folder or a hub name; or a server's base_url and model
    model: models/gemma          # a tiny stand-in, raised on diaries: its errors are real, its figures a simulation
    prompt:                      # what it is asked; `instruction`, `definitions` and `examples` can be added
      language: {language}               # of the question put to it
      names: {names}  # what it calls the labels
  simulation: true               # says on every table that the labeller is a stand-in
  sample: {sample}                   # comments that it labels

further:                         # stage two: the winner learns on, from pseudo-labels and original data together
  trials: 5                      # fine-tunes in all
  space:                         # what is not named here is searched as in stage one
    learning_rate: {{low: 3.0e-4, high: 2.0e-3, log: true}}  # lower, for the winner has learnt already
    pseudo_share: {{low: 0.4, high: 0.8}}    # of what is learnt from, how much is pseudo-labelled
    confidence: {{low: 0.0, high: 0.6}}      # pseudo-labels that the LLM was less sure of are left out
    label_softness: {{low: 0.0, high: 1.0}}  # 0: its first choice alone counts; 1: its whole distribution

ensemble:
  top: 3                         # trials averaged, at most
  combine: mean                  # equal weights

index:                           # the daily line
  weights: {{happiness: 1, neutral: 0, sadness: -1, anger: -1}}  # 50 is neutral, 100 all happiness
  timezone: {time_zone}           # whose days are counted
  every: [day, week, month]      # lengths of period
"""


def plan_text(language: str, seed: int, size: Size) -> str:
    """plan.yaml of a world. language: "ko" or "en"."""
    return _PLAN.format(
        name=f"demo-{language}",
        seed=seed,
        labels=", ".join(LABELS),
        candidates="\n".join(f"  - models/{kind}" for kind in ENCODERS),
        language=language,
        names="{" + ", ".join(f"{label}: {name}" for label, name in NAMES[language].items()) + "}",
        sample=size.sample,
        time_zone=TIME_ZONES[language],
    )
