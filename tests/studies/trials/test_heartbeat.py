"""A worker notices that its claim on a trial is lost."""

import time

import pytest
from sqlalchemy import Engine

from storage.process_identity import this_process
from storage.records import trial_slots as table
from studies.trials.heartbeat import LostClaim
from studies.workers.trial_claims import TrialClaims


def test_a_lost_lease_is_noticed_by_the_next_step_and_the_next_writing(engine: Engine) -> None:
    me = TrialClaims(engine, "study", this_process())
    claim = me.next(1)
    assert claim is not None
    with me.alive(claim) as heartbeat:
        heartbeat.moved(0.5)
        heartbeat.check()
        [slot] = table.slots(engine, "study")
        assert slot.share == 0.5
        assert time.time() - slot.moved < 60
        assert table.take_over(engine, slot, this_process("other"), 1.0)
        with pytest.raises(LostClaim):
            heartbeat.check()
        with pytest.raises(LostClaim):
            heartbeat.moved(0.6)
    assert table.slots(engine, "study")[0].share == 0.5
