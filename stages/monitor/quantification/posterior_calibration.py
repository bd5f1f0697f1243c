"""Calibrated posteriors: temperature and bias fitted on gold rows, for expectation maximisation."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST = 1e-6  # smaller probabilities are taken for it
PRIOR = 1.0  # precision of a normal prior around "already calibrated", in rows: keeps separable data finite
STEPS, SETTLED = 30, 1e-7
Parameters = Floats  # (K,): the scale of log-probabilities, then the biases of all labels but the first


def calibration(probabilities: Floats, truth: Integers, weights: Floats, start: Parameters | None = None) -> Parameters:
    """Scale and biases under which log-probabilities predict the truth best, in log-loss.

    probabilities: (N, K). truth: (N,). weights: (N,), positive, any scale. start: of a similar fit, saves steps.
    Bias-corrected temperature scaling: Alexandari, Kundaje and Shrikumar (ICML 2020). Newton's method, the step halved
    until the loss falls; the loss is convex.
    """
    logs = np.log(np.maximum(probabilities, LEAST))
    weight = weights * (len(weights) / weights.sum())
    found = identity(probabilities.shape[1]) if start is None else start
    loss = _loss(found, logs, truth, weight)
    for _ in range(STEPS):
        step = np.linalg.solve(*_newton(found, logs, truth, weight))
        while (following := _loss(found - step, logs, truth, weight)) > loss + SETTLED:
            step = step / 2
        found, fallen, loss = found - step, loss - following, following
        if fallen < SETTLED * len(truth):
            break
    return found


def identity(labels: int) -> Parameters:
    """The parameters that change nothing."""
    return np.concatenate([[1.0], np.zeros(labels - 1)])


def calibrated(parameters: Parameters, probabilities: Floats) -> Floats:
    """(M, K), rows sum to 1."""
    return np.asarray(np.exp(_log_posteriors(parameters, np.log(np.maximum(probabilities, LEAST)))))


def _log_posteriors(parameters: Parameters, logs: Floats) -> Floats:
    scores = parameters[0] * logs
    scores[:, 1:] += parameters[1:]
    scores -= scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def _loss(parameters: Parameters, logs: Floats, truth: Integers, weight: Floats) -> float:
    fit = -weight @ _log_posteriors(parameters, logs)[np.arange(len(truth)), truth]
    moved = parameters - identity(logs.shape[1])
    return float(fit + PRIOR / 2 * moved @ moved)


def _newton(parameters: Parameters, logs: Floats, truth: Integers, weight: Floats) -> tuple[Floats, Floats]:
    """Hessian (K, K) and gradient (K,) of the loss."""
    posterior = np.exp(_log_posteriors(parameters, logs))
    truly = np.eye(logs.shape[1])[truth]
    expected = (posterior * logs).sum(axis=1)  # (N,) of the log-probability
    weighted = weight[:, None] * posterior
    hessian = np.empty((len(parameters), len(parameters)))
    hessian[0, 0] = weight @ ((posterior * logs**2).sum(axis=1) - expected**2)
    hessian[0, 1:] = hessian[1:, 0] = (weighted * (logs - expected[:, None])).sum(axis=0)[1:]
    hessian[1:, 1:] = (np.diag(weighted.sum(axis=0)) - posterior.T @ weighted)[1:, 1:]
    gap = weight[:, None] * (posterior - truly)
    gradient = np.concatenate([[(gap * logs).sum()], gap.sum(axis=0)[1:]])
    moved = parameters - identity(logs.shape[1])
    return hessian + PRIOR * np.eye(len(parameters)), gradient + PRIOR * moved
