"""Names are found however they are written, and only where they mean what they say."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlu.terms import TermFinder, load_terms


def conditions(finder: TermFinder, text: str) -> list[str]:
    return [f.id for f in finder.read(text).mentions if f.kind == "condition"]


def named(finder: TermFinder, text: str) -> list[tuple[str, str]]:
    return [(f.kind, f.id) for f in finder.read(text).mentions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is MS?", ["MS"]),
        ("what is ms", ["MS"]),
        ("ms", ["MS"]),
        ("als treatment", ["ALS"]),
        ("ALS", ["ALS"]),
        ("ms and als", ["MS", "ALS"]),
        ("ALS/MS", ["ALS", "MS"]),
        ("(MS)", ["MS"]),
        ("MS, ALS.", ["MS", "ALS"]),
        ("Is it MS?!", ["MS"]),
        ("MS-related fatigue", ["MS"]),
        ("is ALS—like MS", ["ALS", "MS"]),
        ("I have ms. what now", ["MS"]),
        ("late onset ms", ["MS"]),
        ("multiple sclerosis", ["MS"]),
        ("MULTIPLE SCLEROSIS", ["MS"]),
        ("Amyotrophic Lateral Sclerosis", ["ALS"]),
        ("mnd", ["ALS"]),
        ("MND symptoms", ["ALS"]),
        ("motor neurone disease", ["ALS"]),
        ("motor neuron disease", ["ALS"]),
        ("m.s. symptoms", ["MS"]),
        ("A.L.S.", ["ALS"]),
        ("I'm a CALS, my PALS needs a hoist", ["ALS", "ALS"]),
        ("what do MSers eat", ["MS"]),
        ("why the name baseball disease", ["ALS"]),
        ("my pals are kind", []),
        ("PALS course in Leeds", []),
    ],
)
def test_a_disease_is_found_in_any_case_and_beside_any_sign(text: str, expected: list[str], finder: TermFinder) -> None:
    assert conditions(finder, text) == expected


@pytest.mark.parametrize(
    "text", ["lou gehrig s", "lou gehrigs", "Lou Gehrig's disease", "lou gehrig\u2019s disease", "Gehrig's disease"]
)
def test_gehrigs_disease_is_als_however_the_possessive_is_written(text: str, finder: TermFinder) -> None:
    assert conditions(finder, text) == ["ALS"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("MS's first signs", "MS"), ("what is ALS\u2019s cause", "ALS"), ("multiple sclerosis's course", "MS")],
)
def test_a_possessive_is_the_disease_and_nothing_more(text: str, name: str, finder: TermFinder) -> None:
    (found,) = finder.read(text).mentions
    assert found.id == name
    assert not text[found.start : found.end].endswith("s's")


@pytest.mark.parametrize(
    "text",
    [
        "what are the symptoms",
        "my symptoms",
        "systems",
        "it seems so",
        "false alarm",
        "salsa",
        "also",
        "goals",
        "alms",
        "terms",
        "Mississippi",
        "hms",
        "rooms",
        "msn",
        "cams",
        "formals",
    ],
)
def test_no_disease_is_found_inside_another_word(text: str, finder: TermFinder) -> None:
    assert conditions(finder, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ms. Smith has a question",
        "Ms Smith called",
        "tell Ms. Brown",
        "it took 20 ms",
        "LC-MS baseline drifting upwards, ideas?",
        "GC/MS of caffeine",
        "a cabin on the MS Nordkapp",
        "mitral stenosis, MS on the report",
        "a ping of 35 ms",
        "5.5 ms",
        "Jackson, MS",
        "Biloxi MS",
        "hotels in Gulfport, MS 39501",
        "MS Word",
        "ms office download",
        "MS in computer science",
        "an MS degree",
        "ALS ambulance",
        "als unit 12 responding",
        "ALS certification",
        "als paramedic course",
        "BLS and ALS",
        "acls and als",
        "mehr als das",
        "was heißt als wenn",
        "meer als dat",
        "is das besser als vorher",
        "i have ms office on my laptop",
        "help with ms excel",
        "als course near me",
    ],
)
def test_an_abbreviation_with_another_meaning_is_no_disease(text: str, finder: TermFinder) -> None:
    assert conditions(finder, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my ms unit nurse", ["MS"]),
        ("ms clinic", ["MS"]),
        ("ALS clinic near me", ["ALS"]),
        ("my teacher Ms Brown has MS", ["MS"]),
        ("I have had MS 20 years", ["MS"]),
        ("als patients", ["ALS"]),
        ("what does ALS do", ["ALS"]),
        ("MS drugs", ["MS"]),
        ("top 5 MS symptoms", ["MS"]),
        ("als course and prognosis", ["ALS"]),
        ("ALS class of drugs", ["ALS"]),
        ("MS access to treatment", ["MS"]),
        ("diagnosed with MS in nursing school", ["MS"]),
        ("ms word finding problems", ["MS"]),
        ("my husband has als and the ambulance took him", ["ALS"]),
        ("ms fatigue how to deal with it", ["MS"]),
        ("what is the ms hug", ["MS"]),
    ],
)
def test_the_disease_is_still_found_near_such_words(text: str, expected: list[str], finder: TermFinder) -> None:
    assert conditions(finder, text) == expected


def test_it_is_told_when_an_abbreviation_was_set_aside(finder: TermFinder) -> None:
    assert finder.read("it took 20 ms").other_meaning
    assert not finder.read("what is ms").other_meaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("multiple sclerosisi", "MS"),
        ("multipel sclerosis", "MS"),
        ("mutiple sclerosis", "MS"),
        ("multiple schlerosis", "MS"),
        ("multiple sclorosis", "MS"),
        ("amyotropic lateral sclerosis", "ALS"),
        ("lou gehrigs diease", "ALS"),
        ("lou gherigs disease", "ALS"),
        ("motor neurone diseese", "ALS"),
        ("moter neuron disease", "ALS"),
    ],
)
def test_a_misspelt_disease_is_found(text: str, expected: str, finder: TermFinder) -> None:
    assert conditions(finder, f"what is {text}") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("riluzol", ("drug", "riluzole")),
        ("rilusole", ("drug", "riluzole")),
        ("Rilutek", ("drug", "riluzole")),
        ("ocrelizumab", ("drug", "ocrelizumab")),
        ("ocrelizumb", ("drug", "ocrelizumab")),
        ("OCREVUS", ("drug", "ocrelizumab")),
        ("tofersin", ("drug", "tofersen")),
        ("tingling", ("symptom", "tingling")),
        ("MRI", ("test", "mri")),
        ("emg", ("test", "emg")),
        ("RRMS", ("subtype", "rrms")),
        ("primary progressive MS", ("subtype", "ppms")),
        ("Stephen Hawking", ("person", "stephen-hawking")),
        ("fibromyalgia", ("mimic", "fibromyalgia")),
        ("lupus", ("mimic", "lupus")),
        ("SOD1", ("gene", "sod1")),
    ],
)
def test_other_things_are_found_by_kind(text: str, expected: tuple[str, str], finder: TermFinder) -> None:
    assert expected in named(finder, f"tell me about {text} please")


def test_every_name_of_the_store_is_found_as_its_own_term(finder: TermFinder) -> None:
    """Names, synonyms and misspellings, each alone and in lower case."""
    missed = {}
    for term in load_terms():
        key = term["id"].upper() if term["kind"] == "condition" else term["id"]
        for name in (term["name"], *term.get("synonyms", ()), *term.get("misspellings", ())):
            for text in (name, name.lower()):
                if key not in [f.id for f in finder.read(f"about {text} now").mentions]:
                    missed[text] = [f.id for f in finder.read(f"about {text} now").mentions]
    assert missed == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("🧠 ", " 😀"),
        ("naïve café ", " Ωμέγα"),
        ("e\u0301 ", ""),
        ("\u00a0", "\u00a0and"),
        ("İstanbul ", ""),
        ("“", "”"),
        ("👩‍⚕️👨‍👩‍👧 ", "?"),
        ("日本 ", ""),
        ("\t\n", "\n"),
        ("ﬁrst ", ""),
    ],
)
@pytest.mark.parametrize("name", ["MS", "riluzole", "lou gehrig\u2019s disease", "multipel sclerosis", "tingling"])
def test_offsets_point_at_the_words_as_they_were_written(
    before: str, after: str, name: str, finder: TermFinder
) -> None:
    text = f"{before}{name}{after}"
    (found,) = finder.read(text).mentions
    assert text[found.start : found.end] == name


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=8), st.sampled_from(["MS", "als", "tofersen", "Ms.", "lou gehrig\u2019s", " ", "\n"])
        )
    )
)
def test_any_text_can_be_read_and_offsets_stay_inside_it(finder: TermFinder, pieces: list[str]) -> None:
    text = " ".join(pieces)
    end = 0
    for found in finder.read(text).mentions:
        assert end <= found.start < found.end <= len(text)
        assert text[found.start : found.end].strip()
        end = found.end


def test_what_is_ruled_out_is_marked(finder: TermFinder) -> None:
    found = {m.id: m.ruled_out for m in finder.read("symptoms of ALS, not MS").mentions}
    assert found == {"ALS": False, "MS": True}
    told_apart = finder.read("how do they know it is ALS and not MS").mentions
    assert not any(m.ruled_out for m in told_apart)


def test_words_that_people_write_are_not_kept(finder: TermFinder) -> None:
    before = len(finder._vocab.strings)
    for number in range(200):
        finder.read(f"my neighbour Zqxvark{number} of {number * 7919} Grobblestreet has MS and takes riluzole")
    assert len(finder._vocab.strings) - before < 20


def test_a_long_word_that_nobody_knows_is_not_encoded(finder: TermFinder) -> None:
    assert finder.read("how is ms diagnosed zqxmarkerprivate please").repaired == "how is ms diagnosed please"
    assert finder.read("zqxmarkerprivate").repaired == "zqxmarkerprivate"  # there is nothing else to go by
    assert "tecfidera" in finder.read("what is tecfidera for in ms").repaired


def test_a_message_gets_its_entities_as_rasa_has_them(understand: Callable[[str], Any]) -> None:
    text = "does riluzole help in MND?"
    entities = understand(text).get("entities")
    assert [(e["entity"], e["value"], text[e["start"] : e["end"]]) for e in entities] == [
        ("drug", "riluzole", "riluzole"),
        ("condition", "ALS", "MND"),
    ]
    assert {e["extractor"] for e in entities} == {"TermMatcher"}


def test_a_long_message_is_read_sentence_by_sentence(understand: Callable[[str], Any]) -> None:
    text = "My mother is 70. She has ALS. What causes it? Thank you."
    parts = understand(text).get("segments")
    assert [text[p.start : p.end].strip() for p in parts] == [
        "My mother is 70.",
        "She has ALS.",
        "What causes it?",
        "Thank you.",
    ]
    assert understand("what causes als").get("segments") == []


def test_an_empty_text_does_no_harm(understand: Callable[[str], Any], finder: TermFinder) -> None:
    assert understand("").get("entities") in (None, [])
    assert finder.read("").mentions == ()


def test_a_wall_of_text_is_read_in_time(finder: TermFinder) -> None:
    """2,000 characters of anything must not hold up the others."""
    import time

    letters = random.Random(0).choices("abcdefghij ms als .?!'", k=2000)
    start = time.perf_counter()
    finder.read("".join(letters))
    finder.read("ms " * 666)
    finder.read("x" * 2000)
    assert time.perf_counter() - start < 3
