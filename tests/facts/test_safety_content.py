"""What could hurt somebody if it were missing or wrong. Each test is a finding of the audit of the first store."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from actions import wording
from facts.schema import CONDITIONS
from facts.store import Snapshot

SCOPES = (*CONDITIONS, "both")


def answers_of(facts: Snapshot) -> Iterator[tuple[str, str, str]]:
    """(question and field, MS, ALS or both, text) of all that is said first."""
    for q in facts.questions.values():
        for scope, answer in q.answers.items():
            for field in ("text", "simple", "why"):
                if text := getattr(answer, field):
                    yield f"{q.id} {scope} {field}", scope, text


def has(text: str | None, *patterns: str) -> bool:
    return text is not None and all(re.search(p, text, re.IGNORECASE) for p in patterns)


def drug_text(facts: Snapshot, drug: str, *fields: str) -> str:
    record = facts.drugs[drug]
    return " ".join(
        getattr(record, f) or "" for f in fields or ("text", "side_effects", "checks", "stopping", "pregnancy")
    )


# --- figures of suicide are never volunteered ---------------------------------------------------------


def test_figures_of_suicide_stand_under_a_question_that_is_only_answered_when_asked(facts: Snapshot) -> None:
    of_suicide = re.compile(r"suicid|kill (?:them|him|her)sel|take (?:their|his|her) own li", re.IGNORECASE)
    told = {f.question for f in facts.facts.values() if of_suicide.search(f.statement)}
    told |= {name.split()[0] for name, _, text in answers_of(facts) if of_suicide.search(text)}
    assert told
    assert [q for q in told if not facts.questions[q].only_asked] == []
    for table in (facts.symptoms, facts.tests):
        assert [r.term for r in table.values() for c in r.cells.values() if of_suicide.search(c.text)] == []


def test_no_other_question_leads_to_the_one_on_suicide(facts: Snapshot) -> None:
    assert [q.id for q in facts.questions.values() if any("suicide" in n for n in q.next)] == []


@pytest.mark.parametrize("question", ["cognition/suicide_risk", "cognition/hopeless"])
def test_who_asks_about_it_reads_where_to_turn_to(question: str, facts: Snapshot) -> None:
    for scope, answer in facts.questions[question].answers.items():
        for text in filter(None, (answer.text, answer.simple)):
            assert has(text, r"\b988\b", r"116 123"), (question, scope)


# --- oxygen -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["when_to_see_doctor/overview", "when_to_see_doctor/emergency_now"])
@pytest.mark.parametrize("scope", ["ALS", "both"])
def test_who_is_sent_to_emergency_care_with_als_is_told_about_oxygen(
    question: str, scope: str, facts: Snapshot
) -> None:
    assert has(facts.questions[question].answers[scope].text, r"\boxygen\b", r"ALS")


def test_breathlessness_in_als_is_never_an_emergency_without_saying_that_it_is_als(facts: Snapshot) -> None:
    emergency = re.compile(r"breathless(?:ness)? at rest|blue lips", re.IGNORECASE)
    say_so = re.compile(r"oxygen|(?:say|tell)\b[^.]*\bALS\b", re.IGNORECASE)
    silent = [
        name for name, scope, text in answers_of(facts)
        if scope != "MS" and name.endswith(" text") and emergency.search(text) and not say_so.search(text)
    ]  # fmt: skip
    of_als = {f.id: f.statement for f in facts.facts.values() if f.condition == "ALS"}
    silent += [name for name, text in of_als.items() if emergency.search(text) and not say_so.search(text)]
    assert silent == []


def test_the_row_of_urgent_signs_and_the_cell_of_breathlessness_say_it_too(facts: Snapshot) -> None:
    (row,) = [r for r in facts.comparisons if r.id == "urgent-help"]
    assert has(row.ALS, "oxygen")
    assert has(facts.symptoms["breathlessness"].cells["ALS"].text, "emergency", "oxygen")


def test_there_is_a_question_on_oxygen(facts: Snapshot) -> None:
    answer = facts.questions["swallowing_speech_breathing/oxygen"].answers["ALS"]
    assert has(answer.text, "danger|harm", "crew|staff|doctor")


# --- drugs --------------------------------------------------------------------------------------------


def test_every_drug_that_acts_on_the_disease_says_not_to_stop_it_alone(facts: Snapshot) -> None:
    """Those that are given as courses: to plan any change with the team."""
    drugs = [d for d in facts.drugs.values() if d.kind == "disease_modifying" and d.status == "approved"]
    assert len(drugs) > 15
    alone = re.compile(
        r"on your own|never stop|(?:do not|don't) stop|with the (?:MS|ALS) team|ALS team first", re.IGNORECASE
    )
    assert [d.term for d in drugs if not alone.search(d.stopping or "")] == []


@pytest.mark.parametrize("drug", ["fingolimod", "natalizumab"])
def test_stopping_that_can_bring_ms_back_hard_is_said(drug: str, facts: Snapshot) -> None:
    assert has(facts.drugs[drug].text, "never stop it on your own")
    assert has(facts.drugs[drug].stopping, "never stop it on your own", "come back")


def test_who_reads_that_drugs_are_stopped_before_pregnancy_reads_not_to_do_it_alone(facts: Snapshot) -> None:
    stops = re.compile(r"(?:stop|come off|paus)\w*[^.]*(?:before|pregnan)", re.IGNORECASE)
    careful = re.compile(
        r"on your own|with (?:the|your) (?:MS |ALS )?(?:team|doctor|nurse)|call|ask|plan", re.IGNORECASE
    )
    bare = [
        n
        for n, _, t in answers_of(facts)
        if n.startswith("pregnancy/") and n.endswith(" text") and stops.search(t) and not careful.search(t)
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("drug", "fields", "said"),
    [
        ("glatiramer", "text", ["allerg", "emergency"]),
        ("glatiramer", "side_effects", ["allerg", "emergency number", "years"]),
        ("natalizumab", "text", ["PML", "kill|death|die", "JC virus"]),
        ("natalizumab", "side_effects", ["PML", "weakness", "confus", "call"]),
        ("natalizumab", "checks", ["JC virus"]),
        ("ocrelizumab", "text", ["hepatitis B"]),
        ("ocrelizumab", "checks", ["hepatitis B", "breast"]),
        ("ocrelizumab", "side_effects", ["PML"]),
        ("ofatumumab", "text checks side_effects", ["hepatitis B"]),
        ("ublituximab", "text checks side_effects", ["hepatitis B"]),
        ("fingolimod", "side_effects", ["PML"]),
        ("fingolimod", "pregnancy", ["must not", "birth defects"]),
        ("fingolimod", "checks", ["heart"]),
        ("siponimod", "pregnancy", ["birth control|must not|not be"]),
        ("ozanimod", "pregnancy", ["birth control|must not|not be"]),
        ("ponesimod", "pregnancy", ["birth control|must not|not be"]),
        ("teriflunomide", "pregnancy", ["must not"]),
        ("tizanidine", "text", ["ciprofloxacin", "fluvoxamine"]),
        ("tizanidine", "side_effects", ["ciprofloxacin", "fluvoxamine"]),
        ("tizanidine", "stopping", ["not stop it suddenly"]),
        ("baclofen", "stopping", ["suddenly"]),
        ("dalfampridine", "text", ["seizure", "kidney"]),
        ("dalfampridine", "side_effects", ["seizure", "emergency"]),
        ("dalfampridine", "checks", ["kidney", "seizure"]),
        ("riluzole", "text side_effects checks", ["liver", "nausea|sick", "lung", "white"]),
        ("alemtuzumab", "text side_effects checks", ["48 months|four years"]),
        ("mitoxantrone", "text side_effects checks", ["heart", "leuk|blood cancer"]),
    ],
)
def test_a_drug_warns_of(drug: str, fields: str, said: list[str], facts: Snapshot) -> None:
    text = drug_text(facts, drug, *fields.split())
    assert [s for s in said if not has(text, s)] == [], text


def test_clinics_that_sell_stem_cells_are_warned_of_for_both_diseases(facts: Snapshot) -> None:
    warning = ("stem cell", "clinic", "proof|proven|warn|harm|not approved|pay")
    warned = {scope for q in facts.questions.values() for scope, a in q.answers.items() if has(a.text, *warning)}
    assert warned >= {"MS", "ALS"}


# --- urgent signs and symptoms ------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["MS", "both"])
def test_a_bladder_or_bowel_that_newly_fails_is_urgent(scope: str, facts: Snapshot) -> None:
    answer = facts.questions["when_to_see_doctor/overview"].answers[scope]
    assert has(answer.text, r"bladder", r"bowel", r"same day|at once|emergency")
    assert has(answer.simple, r"bladder", r"sight")
    (row,) = [r for r in facts.comparisons if r.id == "urgent-help"]
    assert has(row.MS, "bladder", "bowel")


def test_every_answer_on_when_to_see_a_doctor_names_signs_of_a_stroke(facts: Snapshot) -> None:
    answers = facts.questions["when_to_see_doctor/overview"].answers
    assert has(answers["MS"].text, "face", "speech", "emergency number")
    assert has(answers["both"].text, "face", "speech", "emergency number")
    assert has(answers["ALS"].text, "stroke", "emergency number")


#: Symptoms that need nobody: they pass, or are told to be common and harmless.
NEEDS_NOBODY = {("heat-sensitivity", "MS"), ("sexual-problems", "ALS")}


def test_who_asks_whether_a_disease_causes_a_symptom_reads_whom_to_see(facts: Snapshot) -> None:
    net = r"doctor|nurse|team|emergency|urgent|same day|checked|get help|bring them up"
    bare = [
        (row.term, condition) for row in facts.symptoms.values() for condition, cell in row.cells.items()
        if cell.status in ("typical", "possible") and not has(cell.text, net)
    ]  # fmt: skip
    assert [one for one in bare if one not in NEEDS_NOBODY] == []


@pytest.mark.parametrize(
    "symptom",
    ["muscle-weakness", "muscle-twitching", "muscle-cramps", "muscle-wasting", "foot-drop", "weak-grip",
     "slurred-speech", "numbness", "tingling", "swallowing-trouble", "double-vision"],
)  # fmt: skip
def test_a_symptom_people_fear_is_said_to_be_mostly_something_else(symptom: str, facts: Snapshot) -> None:
    elsewhere = (
        r"not have (?:MS|ALS)|not (?:usually )?point to (?:MS|ALS)|other causes|is not (?:MS|ALS)"
        r"|common (?:in people who are well|without)|another cause|harmless|neither"
    )
    for condition, cell in facts.symptoms[symptom].cells.items():
        if cell.status in ("typical", "possible"):
            assert has(cell.text, elsewhere), (symptom, condition, cell.text)


@pytest.mark.parametrize("scope", SCOPES)
def test_which_symptoms_it_gives_is_never_said_without_most_have_neither(scope: str, facts: Snapshot) -> None:
    text = facts.questions["symptom_check/overview"].answers[scope].text
    assert has(text, r"doctor", r"do not have (?:MS|ALS)|neither MS nor ALS")


# --- survival -----------------------------------------------------------------------------------------


FIGURE = re.compile(
    r"\b(?:live|lived|lives|alive|surviv\w+|die|died)\b[^.]*?\b[\d.]+(?: to [\d.]+)? (?:years|months)"
    r"|\b[\d.]+(?: to [\d.]+)? (?:years|months)[^.]*?\b(?:live|alive|surviv\w+|die)\b",
    re.IGNORECASE,
)
CLOCK = re.compile(r"symptom|diagnos|onset|birth|tracheostomy|after (?:a|the) |before|longer|shorter", re.IGNORECASE)


def test_figures_of_survival_with_als_say_from_when_they_count(facts: Snapshot) -> None:
    """From the first symptoms and from the diagnosis are a year apart."""
    texts = {n: t for n, scope, t in answers_of(facts) if scope != "MS"}
    texts |= {f.id: f.statement for f in facts.facts.values() if f.condition != "MS"}
    texts |= {f"row {r.id}": r.ALS for r in facts.comparisons}
    texts |= {s.term: f"{s.text} {s.outlook or ''}" for s in facts.subtypes.values() if s.condition == "ALS"}
    apart = re.compile("hawking|assisted|famous|special.rules")  # one person's life; laws
    figures = {name: text for name, text in texts.items() if FIGURE.search(text) and not apart.search(name)}
    assert len(figures) > 10
    assert {name: text for name, text in figures.items() if not CLOCK.search(text)} == {}


def test_the_general_answers_on_survival_with_als_count_from_the_first_symptoms(facts: Snapshot) -> None:
    for scope in ("ALS", "both"):
        assert has(facts.questions["prognosis/overview"].answers[scope].text, r"first symptom")
    (row,) = [r for r in facts.comparisons if r.id == "life-expectancy"]
    assert has(row.ALS, r"first symptom")


# --- whom to call -------------------------------------------------------------------------------------


def test_there_is_a_number_for_every_country(facts: Snapshot) -> None:
    countries = {line.country for line in facts.helplines}
    assert {"US", "UK", "Ireland", "Canada", "Australia", "New Zealand", "India", "EU"} <= countries
    for line in facts.helplines:
        assert re.search(r"\d{3}", line.emergency), line.country
        assert line.crisis, line.country


@pytest.mark.parametrize(
    ("country", "emergency", "crisis"),
    [
        ("US", r"\b911\b", r"\b988\b"), ("UK", r"\b999\b", r"116 123"), ("Ireland", r"\b112\b", r"116 123"),
        ("Canada", r"\b911\b", r"\b988\b"), ("Australia", r"\b000\b", r"13 11 14"), 
        ("New Zealand", r"\b111\b", r"\b1737\b"),
        ("India", r"\b112\b", r"\b14416\b"),
    ],
)  # fmt: skip
def test_a_number_is_the_one_of_its_country(country: str, emergency: str, crisis: str, facts: Snapshot) -> None:
    (line,) = [h for h in facts.helplines if h.country == country]
    assert has(line.emergency, emergency)
    assert has(line.crisis, crisis)


@pytest.mark.parametrize(
    ("country", "text"),
    [("UK", "85258"), ("Australia", "0477 13 11 14"), ("Ireland", "50808"), ("US", "988"), ("New Zealand", "1737")],
)
def test_who_cannot_speak_can_write_in_a_crisis(country: str, text: str, facts: Snapshot) -> None:
    (line,) = [h for h in facts.helplines if h.country == country]
    assert text in f"{line.crisis} {line.crisis_text or ''}"
    assert has(f"{line.crisis} {line.crisis_text or ''}", r"\btext\b")


@pytest.mark.parametrize(("country", "said"), [("UK", "register"), ("US", "911|711"), ("Australia", r"\b106\b")])
def test_who_cannot_speak_can_write_in_an_emergency(country: str, said: str, facts: Snapshot) -> None:
    """In the UK only from a phone that was registered before: it has to be said before it is needed."""
    (line,) = [h for h in facts.helplines if h.country == country]
    assert has(line.emergency_text, said)


def test_numbers_to_call_or_text_are_those_of_the_helplines(facts: Snapshot) -> None:
    """`facts/helplines.yml` is where they are kept: what an answer, a fact or the code names stands there too."""
    kept = " ".join(str(line.dict()) for line in facts.helplines)
    number = re.compile(
        r"(?<![\d.,£$€])(?:0\d{3} \d{3} \d{3}|0\d{3}(?: \d\d){3}|116 123|13 11 14|1737|14416|\d{5}|[019]\d\d)"
        r"(?!\d|[,.]\d|%|\s*(?:people|of|per|in)\b)"  # a longer one is the helpline of a society, with its own fact
    )
    calls = re.compile(r"\b(?:call|text|number|numbers|reach|register|helpline|relay)\b", re.IGNORECASE)
    texts = {name: text for name, _, text in answers_of(facts)}
    texts |= {f.id: f.statement for f in facts.facts.values()}
    texts |= dict(wording.ALARM_WITHOUT_FACTS)
    named = {
        name: found for name, text in texts.items() for sentence in re.split(r"(?<=[.!?])\s", text)
        if calls.search(sentence) and (found := [n for n in number.findall(sentence) if n not in kept])
    }  # fmt: skip
    assert named == {}
