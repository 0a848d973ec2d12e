"""Sentences and joined questions, by their place in the message."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.sentences import segments


def cut(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in segments(text)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("What is MS?", ["What is MS?"]),
        ("als treatment", ["als treatment"]),
        ("What causes it and is there a cure?", ["What causes it", "is there a cure?"]),
        ("What is ALS? How is it treated?", ["What is ALS?", "How is it treated?"]),
        ("My mum has MS. Will it get worse", ["My mum has MS.", "Will it get worse"]),
        ("hello\nhow is ms diagnosed", ["hello", "how is ms diagnosed"]),
        ("what is it; also who gets it", ["what is it;", "who gets it"]),
        ("how do MS and ALS differ", ["how do MS and ALS differ"]),
        ("bread and butter", ["bread and butter"]),
        (
            "What is MS and how is it treated and can you die of it",
            ["What is MS", "how is it treated", "can you die of it"],
        ),
    ],
)
def test_a_message_is_cut_where_a_new_question_begins(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


@pytest.mark.parametrize("text", ["", "?", "...", "😀", "\n\n"])
def test_a_message_without_words_is_one_part(text: str) -> None:
    assert segments(text) == [(0, len(text))]


@settings(max_examples=200, derandomize=True, database=None)
@given(st.text(alphabet="ab MS and is?.!;\n", max_size=80))
def test_no_word_is_lost_or_told_twice(text: str) -> None:
    spans = segments(text)
    assert spans
    assert all(0 <= a <= b <= len(text) for a, b in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    inside = "".join(text[a:b] for a, b in spans)
    dropped = [w for w in text.split() if w.strip("?.!;") and w.strip("?.!;") not in inside]
    assert [w for w in dropped if w != "and"] == []
