"""A process is known by host, number and start, so that a dead one is seen and none mistaken for it."""

from storage.process_identity import this_process


def test_workers_of_one_process_have_names_of_their_own() -> None:
    assert this_process() != this_process()
    assert this_process("night shift").name == "night shift"
