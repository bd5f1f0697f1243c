"""What one pass over the comments keeps."""

import pytest

from tests.helpers.classified_shards import NOON, WriteShard, line_from
from transfer.errors import UserError


def test_a_label_that_the_plan_does_not_know_is_refused(shard: WriteShard) -> None:
    with pytest.raises(UserError, match="have the label '놀람'"):
        line_from([shard([(NOON, "a", None, "놀람")])])
