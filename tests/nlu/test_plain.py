"""Whatever a keyboard, a page or a program did to the letters, the same words come out, each knowing its place."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.plain import MOST, _names, head_and_tail, plain, split, words_known

SAME = [
    ("icantbreathe", "i cant breathe"),
    ("iwanttodie", "i want to die"),
    ("whatisriluzole", "what is riluzole"),
    ("whatisals", "what is als"),
    ("whatisms", "what is ms"),
    ("helpme", "help me"),
    ("imdying", "im dying"),
    ("hecantbreathehislipsareblue", "he cant breathe his lips are blue"),
    ("howlongdopeoplewithalslive", "how long do people with als live"),
    ("lougehrigssyndrome", "lou gehrigs syndrome"),
    ("WhatIsALS", "What Is ALS"),
    ("what_is_als", "what is als"),
    ("I c a n t b r e a t h e", "I cant breathe"),
    ("k i l l  m y s e l f", "kill myself"),
    ("k.i.l.l m.y.s.e.l.f", "kill myself"),
    ("h-e-l-p m-e", "help me"),
    ("c a n ' t  b r e a t h e", "can't breathe"),
    ("my dad won`t wake up", "my dad won't wake up"),
    ("my dad won\u00b4t wake up", "my dad won't wake up"),
    ("my dad won\u2032t wake up", "my dad won't wake up"),
    ("can;t breathe", "can't breathe"),
    ("can&#39;t breathe", "can't breathe"),
    ("can&amp;#39;t breathe", "can't breathe"),
    ("can&rsquo;t&nbsp;breathe", "can't breathe"),
    ("What is <b>ALS</b>?", "What is ALS?"),
    ('<p class="x">What is <a href="y">ALS</a>?</p>', "What is ALS?"),
    ("what is \ufb01ngolimod used for", "what is fingolimod used for"),
    ("what is fingo-\nlimod", "what is fingolimod"),
    ("vac\u00adcine", "vaccine"),
    ("relapsing-\nremitting", "relapsing-remitting"),
    ("What is MS\u200b?", "What is MS?"),
    ("h\u200be\u200bl\u200bp", "help"),
    ("\ufeffhello", "hello"),
    ("\u202ehello\u202c", "hello"),
    ("\uff4b\uff49\uff4c\uff4c \uff4d\uff59\uff53\uff45\uff4c\uff46", "kill myself"),
    ("\U0001d4f4\U0001d4f2\U0001d4f5\U0001d4f5 me", "kill me"),
    ("\u1d0b\u026a\u029f\u029f \u1d0d\u1d07", "kill me"),
    ("\U0001f177\U0001f174\U0001f17b\U0001f17f", "help"),
    ("\u24d7\u24d4\u24db\u24df", "help"),
    ("к\u0456ll my\u0455\u0435lf", "kill myself"),
    ("\u0406 \u0441\u0430n\u2019t br\u0435\u0430th\u0435", "I can't breathe"),
    ("Sjo\u0308gren's", "Sj\u00f6gren's"),
    ("b\u0337r\u0337e\u0337a\u0337t\u0337h\u0337e\u0337", "breathe"),
    ("relapsing\u2011remitting MS", "relapsing-remitting MS"),
    ("MS\u2014what is it", "MS - what is it"),
    ("tell me about m. s.", "tell me about ms."),
    ("is it M.S. or A.L.S.", "is it MS or ALS."),
    ("a l s or m s?", "als or ms?"),
    ("what is m s question mark", "what is ms?"),
    ("heeeelp meeee", "help me"),
    ("theeee baaaad dayyy", "the bad day"),
    ("toooo many", "too many"),
    ("why?!?!?!?!?!", "why?!?"),
    ("what.......", "what..."),
    ("\U0001f198", "\U0001f198 SOS"),
    ("\U0001f44e", "\U0001f44e thumbs down"),
    ("no     blanks", "no   blanks"),
]


@pytest.mark.parametrize(("written", "meant"), SAME)
def test_the_same_words_come_out(written: str, meant: str) -> None:
    assert plain(written).text == meant


@pytest.mark.parametrize(
    "text",
    [
        "what is MS", "stage iii", "vitamins A B C D E", "www.mssociety.org.uk", "EDSS 4.5", "5 m/s", "TNF and beta-interferon",
        "\u03b2-interferon and TNF", "Gothenburg", "Emmerdale", "fingolimod", "ocrelizumabb", "amyotropic", "multipul sclerosis",
        "neurodegenerative", "gadolinium", "Guillain-Barr\u00e9", "clopidogrel", "WHO", "a big question mark", "came to a full stop",
        "MS hastas\u0131 ne yapmal\u0131", "no puedo respirar", "ich kann nicht atmen", "\u0447\u0442\u043e \u0442\u0430\u043a\u043e\u0435 MS",
        "\u6211\u65e0\u6cd5\u547c\u5438", "\u092e\u0948\u0902 \u0938\u093e\u0901\u0938", "2 < 3 and 4 > 1", "i <3 you", "AT&T", "x@y.com",
        "\U0001f1ec\U0001f1e7 hello", "the menstrual period", "they're here",
    ],
)  # fmt: skip
def test_what_is_plain_already_stays(text: str) -> None:
    assert plain(text).text == text


def test_known_names_are_never_taken_apart() -> None:
    for _, name in _names("name", "synonyms", "misspellings"):
        for word in name.split():
            if len(word) >= 6 and word.isalpha() and word.islower() and word in words_known():
                assert plain(word).text == word


def test_misspellings_are_not_taken_for_words_run_together() -> None:
    words = [
        "herediatry",
        "resaon",
        "hereditry",
        "contagius",
        "comparision",
        "secondry",
        "incidance",
        "offten",
        "fatique",
    ]
    assert [plain(word).text for word in words] == words
    assert split("gothenburg") is None


@pytest.mark.parametrize(
    ("written", "found", "stands"),
    [
        ("can&#39;t breathe", "breathe", "breathe"),
        ("can&#39;t breathe", "can't", "can&#39;t"),
        ("whatisriluzole", "riluzole", "riluzole"),
        ("What is <b>ALS</b>?", "ALS", "ALS"),
        ("r\u200biluzole", "riluzole", "r\u200biluzole"),
        ("tell me about m. s. now", "ms", "m. s"),
        ("what is fingo-\nlimod", "fingolimod", "fingo-\nlimod"),
        ("I c a n t b r e a t h e", "breathe", "b r e a t h e"),
        ("\ufb01ngolimod", "fingolimod", "\ufb01ngolimod"),
        ("heeeelp", "help", "heeeelp"),
    ],
)
def test_what_is_found_is_shown_as_written(written: str, found: str, stands: str) -> None:
    made = plain(written)
    at = made.text.index(found)
    a, b = made.span(at, at + len(found))
    assert written[a:b].strip() == stands or stands in written[a:b]


def test_head_and_tail_are_kept() -> None:
    text = "I want to say something first. " + "blah " * 1_000 + "Is ALS inherited?"
    for made in (plain(text).text, head_and_tail(text)):
        assert len(made) <= MOST
        assert made.startswith("I want to say")
        assert made.endswith("Is ALS inherited?")
    assert head_and_tail("short") == "short"


def test_a_longer_text_can_be_asked_for() -> None:
    text = "word " * 1_200 + "cannot breathe " + "word " * 1_200
    assert "cannot breathe" in plain(text, 20_000).text


pieces = st.sampled_from(
    ["ms", "als", "can't", "&#39;", "<b>", "</b>", "\u200b", "\u0301", "\ufb01", "\uff4b", "a ", "a.", "_", "-\n", "\n", "?!", "\U0001f198",
     "icantbreathe", "\u0430", "\u0131", "\u5b57", "\u0939\u093f", "...", " question mark", "\U0001d4f4", "heeelp", "'", "&amp;"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(pieces, max_size=60).map("".join)), st.sampled_from([40, 200, MOST]))
def test_every_character_knows_its_place(text: str, most: int) -> None:
    made = plain(text, most)
    assert len(made.text) <= most
    assert len(made.text) == len(made.starts) == len(made.ends)
    assert all(0 <= a <= b <= len(text) for a, b in zip(made.starts, made.ends, strict=True))
    assert list(made.starts) == sorted(made.starts)
    for start in range(0, len(made.text) + 1, 7):
        a, b = made.span(start, min(start + 5, len(made.text)))
        assert 0 <= a <= b <= len(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(pieces, max_size=40).map("".join))
def test_plain_is_plain(text: str) -> None:
    once = plain(text).text
    twice = plain(once).text
    assert plain(twice).text == twice


ODD = {
    "punctuation": "?!.;" * 2_500, "apostrophes": "'" * 9_000, "letters": "a" * 9_000, "spaced": "a " * 4_500, "points": "m." * 4_000,
    "tags": "<b>" * 3_000, "angles": "<" * 9_000, "ands": "&" * 9_000, "entities": "&#39" * 2_000, "marks": "a" + "\u0300" * 8_000,
    "unseen": "\u200b" * 9_000, "lines": "\n" * 9_000, "cut words": "ab-\n" * 2_000, "runs": "icantbreathex" * 700, "a tag begins": "<a " * 3_000,
    "pictures": "\U0001f198" * 4_000, "flags": "\U0001f1ec" * 4_000, "alphabets": "\u0430b\u0441" * 3_000, "stretched": "aaab" * 2_200,
    "underscores": "a_" * 4_000, "quotes": 'a"' * 4_000, "spoken": "a question mark " * 500,
    "names": " ".join("".join(random.Random(n).choices(string.ascii_lowercase, k=11)) for n in range(700)),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_time_grows_with_length_only(kind: str) -> None:
    plain("icantbreathe")  # reads its words
    begun = time.process_time()
    plain(ODD[kind])
    assert time.process_time() - begun < 0.5
