"""One answer out of several to the same comment: of one LLM asked in several ways, or of several labellers."""

from collections.abc import Sequence

import numpy as np

from transfer.labellers.labeller import Answer


def mean_answer(answers: Sequence[Answer], k: int) -> tuple[Answer, float | None]:
    """The answers as one, and their agreement: the share of them with the label that came out, None below two.

    Answers without a label are left out. Where every other one has probabilities, theirs are averaged with equal
    weights, and the likeliest label is taken. Where one's confidence is unknown, so is that of all together, for a
    label alone counts neither as 1 nor as an even guess: labels are then voted on, ties go to the mean of the
    probabilities that are known, then to the label that the plan names first.
    tokens and written are summed over all answers. k: number of labels.
    """
    given = [answer for answer in answers if answer.label is not None]
    tokens, written = sum(answer.tokens for answer in answers), sum(answer.written for answer in answers)
    if not given:
        return Answer(None, None, None, tokens, written), None
    known = [answer.probabilities for answer in given if answer.probabilities is not None]
    mean = np.mean(known, axis=0) if known else np.zeros(k)
    votes = np.bincount([answer.label for answer in given if answer.label is not None], minlength=k)
    sure = len(known) == len(given)
    label = int(np.argmax(mean if sure else votes + mean / 2))  # a mean is at most 1, so a vote outweighs it
    agreement = float(votes[label] / len(given)) if len(given) > 1 else None
    return Answer(tuple(mean.tolist()) if sure else None, label, None, tokens, written), agreement
