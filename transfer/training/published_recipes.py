"""Recipes published for encoders: an untuned fine-tune's, and trial 0 of every study."""

from dataclasses import replace

from transfer.training.recipe import Recipe

# Devlin et al. (2019), appendix A.3: rates 2e-5 to 5e-5, batches of 16 or 32, 2 to 4 epochs.
BERT = Recipe(learning_rate=3e-5, batch_size=32, epochs=3, weight_decay=0.01, warmup_share=0.1, dropout=0.1)
# Liu et al. (2019), table 10, GLUE: 1e-5 to 3e-5, batches of 16 or 32, decay 0.1, 10 epochs, 6 % warm-up.
ROBERTA = replace(BERT, learning_rate=2e-5, epochs=10, weight_decay=0.1, warmup_share=0.06)
ROBERTA_LARGE = replace(ROBERTA, learning_rate=1e-5)
# Clark et al. (2020), appendix B, GLUE, base size: 1e-4, layer-wise decay 0.8, batches of 32, 3 epochs, no decay.
ELECTRA = replace(BERT, learning_rate=1e-4, weight_decay=0.0, layer_decay=0.8)
ELECTRA_LARGE = replace(ELECTRA, learning_rate=5e-5, layer_decay=0.9)  # the same table
# Sanh et al. (2019) fine-tune as BERT does.
BY_ARCHITECTURE = {"bert": BERT, "distilbert": BERT, "roberta": ROBERTA, "electra": ELECTRA}
BY_NAME = {
    # KoELECTRA's own configuration for NSMC, monologg/KoELECTRA finetune/config/nsmc/koelectra-base-v3.json
    "monologg/koelectra-base-v3-discriminator": replace(
        BERT, learning_rate=5e-5, epochs=10, weight_decay=0.0, warmup_share=0.0
    ),
    "google/electra-large-discriminator": ELECTRA_LARGE,
    "klue/roberta-large": ROBERTA_LARGE,
    "roberta-large": ROBERTA_LARGE,
    "FacebookAI/roberta-large": ROBERTA_LARGE,
}


def published_recipe(name: str, architecture: str) -> Recipe:
    """The recipe published for a candidate: its own where known, else its architecture's, else BERT's.

    name: hub name or folder. architecture: the configuration's model_type.
    """
    if name in BY_NAME:
        return BY_NAME[name]
    return BY_ARCHITECTURE.get(architecture, BERT)
