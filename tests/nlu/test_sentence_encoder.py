"""The encoder: unit vectors, near for near meanings, from files that are checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlu import sentence_encoder
from nlu.sentence_encoder import DIMENSIONS, EncoderFileError, SentenceEncoder, shared_encoder

TEXTS = ["how is it diagnosed", "als", "", "What are the first signs of MS? " * 40, "😀", "which tests are done"]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return shared_encoder()


def test_vectors_have_the_length_of_one(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSIONS) == (6, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: SentenceEncoder) -> None:
    """What was trained on thousands of texts at once is asked one at a time."""
    single = np.vstack([encoder.encode([text]) for text in TEXTS])
    for together in (encoder.encode(TEXTS), encoder.encode_all(TEXTS), encoder.encode_all(TEXTS, batch=2)):
        assert ((single * together).sum(1) > 0.9999).all()


def test_vectors_come_in_the_order_of_the_texts(encoder: SentenceEncoder) -> None:
    texts = [f"{'very ' * (i % 7)}long question number {i}" for i in range(20)]
    vectors = encoder.encode_all(texts, batch=3)
    nearest = (vectors @ np.vstack([encoder.encode([t]) for t in texts]).T).argmax(1)
    assert nearest.tolist() == list(range(20))


def test_near_meanings_have_near_vectors(encoder: SentenceEncoder) -> None:
    asked, same, other = encoder.encode(
        ["how is it diagnosed", "which tests show that you have it", "famous baseball players"]
    )
    assert asked @ same > asked @ other + 0.2


def test_no_texts_give_no_vectors(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)
    assert encoder.encode_all([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize("content", [None, b"", b"another file"])
def test_a_vocabulary_that_is_not_the_one_expected_is_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(sentence_encoder, "TOKENIZER", path)
    with pytest.raises(EncoderFileError, match=r"tokenizer\.json.*make setup"):
        SentenceEncoder()


def test_a_model_that_is_not_the_one_expected_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(sentence_encoder.model_path().read_bytes()[:-1])
    monkeypatch.setattr(sentence_encoder, "model_path", lambda: path)
    with pytest.raises(EncoderFileError, match=r"model\.onnx.*make setup"):
        SentenceEncoder()
