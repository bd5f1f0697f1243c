"""Encoders load with a head for the plan's labels, as they are, without running code or asking the network."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, load_file, save_file
from torch import nn
from transformers import AutoConfig, PreTrainedModel

from tests.helpers.model_hub import Hub, model_hub
from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, LONGEST, Encoder, bare_words, save_encoder
from transfer.encoders.model import depth, layer_of, load_classifier, load_config, load_tokenizer, longest_input
from transfer.errors import UserError

CODE = "open({trace!r}, 'w').write('ran')\nraise SystemExit\n"


def head(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    prefix = f"{model.base_model_prefix}."
    return {name: value for name, value in model.state_dict().items() if not name.startswith(prefix)}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def edit(path: Path, **changes: object) -> None:
    """Changes keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "albert", "modernbert"])
def test_every_architecture_gets_its_pretrained_weights_and_a_head_of_the_labels(encoder: Encoder, kind: str) -> None:
    folder = encoder(kind)
    model = load_classifier(folder, LABELS, seed=1)
    saved = {name.split(".", 1)[-1]: value for name, value in load_file(folder / "model.safetensors").items()}
    saved |= load_file(folder / "model.safetensors")  # BERT's were saved without a prefix
    loaded = model.base_model.state_dict()
    known = [name for name in loaded if "pooler" not in name]
    assert len(known) > 10
    assert all(torch.equal(loaded[name], saved[name]) for name in known)
    assert model.config.id2label == dict(enumerate(LABELS))
    assert model(input_ids=torch.tensor([[2, 9, 3]])).logits.shape == (1, len(LABELS))


def test_a_fresh_head_follows_from_the_seed_alone(encoder: Encoder) -> None:
    folder = encoder("roberta")
    first = load_classifier(folder, LABELS, seed=1)
    torch.rand(5)
    assert same(head(load_classifier(folder, LABELS, seed=1)), head(first))
    assert not same(head(load_classifier(folder, LABELS, seed=2)), head(first))


def test_a_saved_head_is_kept_for_the_same_labels_only(encoder: Encoder, tmp_path: Path) -> None:
    folder = encoder("bert")
    tuned = load_classifier(folder, LABELS, seed=1)
    tuned.save_pretrained(tmp_path / "tuned")
    assert same(load_classifier(tmp_path / "tuned", LABELS, seed=5).state_dict(), tuned.state_dict())
    fewer, reordered = LABELS[:2], LABELS[::-1]
    for labels in (fewer, reordered, ("a", "b", "c")):
        model = load_classifier(tmp_path / "tuned", labels, seed=5)
        assert same(model.base_model.state_dict(), tuned.base_model.state_dict())
        # As fresh as that of the encoder alone: nothing of the other labels' head is left in it.
        weights = head(model)["classifier.weight"]
        assert len(weights) == len(labels)
        rows = {tuple(row) for row in head(tuned)["classifier.weight"].tolist()}
        assert not rows & {tuple(row) for row in weights.tolist()}
        assert same(head(load_classifier(tmp_path / "tuned", labels, seed=5)), head(model))


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "albert"])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_dropout_reaches_every_dropout_of_the_architecture(encoder: Encoder, kind: str, rate: float) -> None:
    model = load_classifier(encoder(kind), LABELS, seed=1, dropout=rate)
    rates = {name: module.p for name, module in model.named_modules() if isinstance(module, nn.Dropout)}
    assert len(rates) >= 4
    assert set(rates.values()) == {rate}


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "albert", "modernbert"])
def test_dropout_makes_training_random_and_its_absence_does_not(encoder: Encoder, kind: str) -> None:
    ids = torch.tensor([[2, *range(6, 30), 3]])
    for rate, is_random in ((0.0, False), (0.3, True)):
        model = load_classifier(encoder(kind), LABELS, seed=1, dropout=rate).train()
        torch.manual_seed(0)
        first, second = model(input_ids=ids).logits, model(input_ids=ids).logits
        assert torch.equal(first, second) is not is_random


def test_dropout_reaches_attention_as_it_is_computed(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    attention = nn.functional.scaled_dot_product_attention

    def spy(*tensors: Any, **options: Any) -> torch.Tensor:
        seen.append(options["dropout_p"])
        return attention(*tensors, **options)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", spy)
    model = load_classifier(encoder("bert"), LABELS, seed=1, dropout=0.3)
    model.train()(input_ids=torch.tensor([[2, 9, 3]]))
    model.train(False)(input_ids=torch.tensor([[2, 9, 3]]))
    assert seen == [0.3, 0.3, 0.0, 0.0]


def test_without_dropout_given_the_configuration_keeps_its_own(encoder: Encoder) -> None:
    folder = encoder("bert")
    edit(folder / "config.json", hidden_dropout_prob=0.25)
    assert load_classifier(folder, LABELS, seed=1).config.hidden_dropout_prob == 0.25


@pytest.mark.parametrize(
    ("kind", "layers", "tops"),
    [
        ("bert", 2, {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}),
        ("roberta", 2, {f"classifier.{part}.{what}" for part in ("dense", "out_proj") for what in ("weight", "bias")}),
        ("electra", 2, {f"classifier.{part}.{what}" for part in ("dense", "out_proj") for what in ("weight", "bias")}),
        (
            "distilbert",
            2,
            {f"{part}.{what}" for part in ("pre_classifier", "classifier") for what in ("weight", "bias")},
        ),
        ("albert", 1, {"albert.pooler.weight", "albert.pooler.bias", "classifier.weight", "classifier.bias"}),
        (
            "modernbert",
            2,
            {"model.final_norm.weight", "head.dense.weight", "head.norm.weight", "classifier.weight"}
            | {"classifier.bias"},
        ),
    ],
)
def test_every_parameter_stands_in_its_layer(encoder: Encoder, kind: str, layers: int, tops: set[str]) -> None:
    model = load_classifier(encoder(kind), LABELS, seed=1)
    assert depth(model.config) == layers
    of = {name: layer_of(name, layers) for name, _ in model.named_parameters()}
    assert {name for name, layer in of.items() if layer == 0} == {name for name in of if "embed" in name}
    assert {name for name, layer in of.items() if layer == layers + 1} == tops
    assert set(of.values()) == set(range(layers + 2))
    sizes = [sum(layer == i for layer in of.values()) for i in range(1, layers + 1)]
    assert max(sizes) - min(sizes) <= 1  # ModernBERT's first layer has no norm


def test_the_longest_input_is_what_the_encoder_really_takes(encoder: Encoder) -> None:
    for kind in ("bert", "roberta"):
        folder = encoder(kind)
        edit(folder / "tokenizer_config.json", model_max_length=int(1e30))
        model = load_classifier(folder, LABELS, seed=1)
        longest = longest_input(model.config, load_tokenizer(str(folder)))
        assert longest == LONGEST
        model(input_ids=torch.full((1, longest), 9))
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, longest + 1), 9))


def test_the_tokenizer_and_models_without_a_limit_bound_the_input_too(encoder: Encoder) -> None:
    folder = encoder("bert")
    edit(folder / "tokenizer_config.json", model_max_length=20)
    assert longest_input(load_config(str(folder)), load_tokenizer(str(folder))) == 20
    assert longest_input(AutoConfig.for_model("xlnet"), bare_words()) == 512  # says -1: no limit


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The only hub that the client knows while the test runs."""
    with model_hub() as running:
        files = f"{running.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.address)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        yield running


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_local_folder_needs_no_network(encoder: Encoder, kind: str, hub: Hub) -> None:
    folder = str(encoder(kind))
    load_config(folder)
    load_tokenizer(folder)
    load_classifier(folder, LABELS, seed=1)
    assert hub.asked == []
    with pytest.raises(UserError):
        load_config("me/none")
    assert hub.asked  # that much is true: we would have heard it


def test_a_hub_model_is_the_same_as_its_folder(encoder: Encoder, hub: Hub) -> None:
    hub.folders["me/electra"] = folder = encoder("electra")
    remote, local = (load_classifier(name, LABELS, seed=1) for name in ("me/electra", folder))
    assert same(remote.state_dict(), local.state_dict())
    texts = ["so happy", "so sad"]
    assert load_tokenizer("me/electra")(texts)["input_ids"] == load_tokenizer(str(folder))(texts)["input_ids"]
    assert load_config("me/electra").to_dict().keys() == load_config(str(folder)).to_dict().keys()


def test_code_in_a_folder_is_never_run(encoder: Encoder, tmp_path: Path) -> None:
    folder, trace = encoder("bert"), tmp_path / "trace"
    (folder / "own.py").write_text(CODE.format(trace=str(trace)), encoding="utf-8")
    own = {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"}

    # With an architecture that transformers has, its own classes are taken.
    edit(folder / "config.json", auto_map=own)
    edit(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["own.Tokenizer", None]})
    load_tokenizer(str(folder))
    load_classifier(folder, LABELS, seed=1)

    # With one that only the code knows, there is no asking "run it? [y/N]".
    edit(folder / "config.json", model_type="own")
    with pytest.raises(UserError, match="it needs code from its own repository, which is never run here"):
        load_classifier(folder, LABELS, seed=1)
    with pytest.raises(UserError, match="which is never run here"):
        load_config(str(folder))
    assert not trace.exists()


def test_weights_that_do_not_fit_the_configuration_are_no_silent_random_start(encoder: Encoder) -> None:
    folder = encoder("bert")
    weights = load((folder / "model.safetensors").read_bytes())  # not mapped: the file is written anew
    lacking = {name: value for name, value in weights.items() if "layer.1." not in name}
    save_file(lacking, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"its weights do not fit its config\.json\n  16 of the encoder's tensors"):
        load_classifier(folder, LABELS, seed=1)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    edit(folder / "config.json", intermediate_size=48)
    with pytest.raises(UserError, match="missing or of another shape"):
        load_classifier(folder, LABELS, seed=1)


def test_old_names_of_normalisation_weights_are_understood(encoder: Encoder) -> None:
    folder = encoder("bert")
    weights = load((folder / "model.safetensors").read_bytes())  # not mapped: the file is written anew
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in weights.items()
    }
    save_file(old, folder / "model.safetensors", metadata={"format": "pt"})
    load_classifier(folder, LABELS, seed=1)


def test_a_loaded_model_does_not_change_with_its_file(encoder: Encoder) -> None:
    folder = encoder("bert")
    model = load_classifier(folder, LABELS, seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:4000] + bytes(len(content) - 4000))
    assert same(model.state_dict(), before)


def test_half_precision_weights_are_read_as_float32(encoder: Encoder) -> None:
    folder = encoder("bert")
    halves = {name: value.half() for name, value in load_file(folder / "model.safetensors").items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    edit(folder / "config.json", dtype="float16")
    assert {value.dtype for value in load_classifier(folder, LABELS, seed=1).parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "{", "transformers cannot read its config.json"),
        ("config.json", '{"model_type": "no-such-kind"}', "transformers cannot read its config.json"),
        ("config.json", '{"model_type": "bert", "hidden_size": "wide"}', "transformers cannot read its config.json"),
        ("model.safetensors", "<html>an error page</html>", "transformers cannot classify with it"),
    ],
)
def test_a_damaged_folder_is_explained(encoder: Encoder, file: str, content: str, message: str) -> None:
    folder = encoder("bert")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=f"candidate '{folder}': {message}\n  .+"):
        load_classifier(folder, LABELS, seed=1)


def test_a_damaged_tokenizer_is_explained(encoder: Encoder) -> None:
    folder = encoder("bert")
    (folder / "tokenizer.json").write_text('{"model": 3}', encoding="utf-8")
    with pytest.raises(UserError, match=r"its tokenizer cannot be loaded\n  .+"):
        load_tokenizer(str(folder))


def test_an_architecture_without_a_classifier_is_explained(tmp_path: Path) -> None:
    folder = save_encoder("bert", tmp_path / "bert")
    edit(folder / "config.json", model_type="vit")
    with pytest.raises(UserError, match="transformers cannot classify with it"):
        load_classifier(folder, LABELS, seed=1)
