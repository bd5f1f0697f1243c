"""Trial 0 is what the literature would do."""

import pytest

from transfer.training.published_recipes import BERT, published_recipe
from transfer.training.recipe import Recipe


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "some-new-kind"])
def test_bert_and_the_unknown_start_from_berts_defaults(architecture: str) -> None:
    recipe = published_recipe("klue/bert-base", architecture)
    assert recipe == BERT
    assert 2e-5 <= recipe.learning_rate <= 5e-5
    assert (recipe.epochs, recipe.batch_size) == (3, 32)


def test_roberta_and_electra_have_their_papers_recipes() -> None:
    roberta, electra = published_recipe("klue/roberta-base", "roberta"), published_recipe("any", "electra")
    assert (roberta.weight_decay, roberta.warmup_share, roberta.epochs) == (0.1, 0.06, 10)
    assert (electra.learning_rate, electra.layer_decay, electra.epochs) == (1e-4, 0.8, 3)


def test_a_model_with_a_recipe_of_its_own_keeps_it_whatever_its_architecture() -> None:
    koelectra = published_recipe("monologg/koelectra-base-v3-discriminator", "electra")
    assert (koelectra.learning_rate, koelectra.layer_decay, koelectra.weight_decay) == (5e-5, 1.0, 0.0)
    large = published_recipe("klue/roberta-large", "roberta")
    assert large.learning_rate < published_recipe("klue/roberta-base", "roberta").learning_rate


def test_a_folder_is_known_by_its_architecture() -> None:
    assert published_recipe("/models/mine", "electra") == published_recipe("other", "electra") != Recipe()
