"""Which GPU and how many cores each worker of a machine computes on."""

import os
from pathlib import Path

from stages.runtime.progress import ProgressReporter

# Names of the GPUs that there were before one was taken, for work that is distributed over all of them.
ALL_GPUS = "MOODLINE_GPUS"


def share_cores(workers: int) -> None:
    """Gives each of several workers its part of the processor's cores. To be called before torch is imported."""
    if workers > 1:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // workers)))


def take_gpu(workspace: Path, report: ProgressReporter) -> None:
    """Makes one GPU the only one that this process sees: a free one, else one that the fewest workers share.

    Before CUDA is begun. Does nothing where there are not several.
    """
    import torch

    from storage.locks.gpu_lock import take_device

    count = torch.cuda.device_count()
    if count < 2:
        return
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if len(names) != count:
        names = [str(number) for number in range(count)]
    os.environ.setdefault(ALL_GPUS, ",".join(names))
    taken = take_device(workspace, [f"gpu-{name}" for name in names])
    os.environ["CUDA_VISIBLE_DEVICES"] = names[taken]
    report.message(f"on GPU {names[taken]} of {count}")


def all_gpus() -> list[str]:
    """Names of this machine's GPUs, as CUDA_VISIBLE_DEVICES names them, where there are several; [] otherwise."""
    return [name for name in os.environ.get(ALL_GPUS, "").split(",") if name]
