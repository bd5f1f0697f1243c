"""How much the index depends on the emotions' weights."""

from pathlib import Path

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.analysis.weight_sensitivity import sensitivity
from stages.monitor.schema.index_settings import IndexSettings
from tests.helpers.made_up_lines import line_of
from tests.helpers.shifting_emotions import LABELS, simulate


def test_the_sensitivity_to_weights_is_in_points_and_correlation(tmp_path: Path) -> None:
    simulation = simulate(tmp_path / "0.parquet", seed=4, authors=60)
    settings = IndexSettings(
        weights={"anger": -1, "neutral": 0, "joy": 1}, every=["day"], min_comments=5, min_clusters=3
    )
    found = sensitivity(daily_line([simulation.shard], LABELS, settings, 13))
    assert found is not None
    assert 1 < found.points < 15
    assert 0.8 < found.correlation < 1
    assert 0.7 < found.same_way <= 1
    assert sensitivity(line_of([50.0, 51.0])) is None
