"""Libraries that keep quiet and leave the processor to others while they wait."""

import os


def quiet_libraries() -> None:
    """Silences what transformers reports of weights and progress, which is no news here; errors come as exceptions.

    Call it before torch is imported: threads that wait for one another then sleep instead of spinning. With another
    program on one of two cores, spinning made training twenty times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
