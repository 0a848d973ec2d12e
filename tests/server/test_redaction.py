"""What is kept of a question tells nothing about who wrote it."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.store import Snapshot
from server.redaction import MASK, Redactor
from tests.conftest import ROOT

#: Messages as people write them, and everything in them that could tell who wrote.
TELLING = [
    # names
    ("my name is John Smith and I want to know about fatigue in MS", "john smith"),
    ("my name is hope summers, what helps with fatigue", "hope summers"),
    ("im will, what is the best treatment for als", "will,"),
    ("hi this is Grace Young. can ms cause a rash", "grace young"),
    ("my husband Mark has ALS, can he still fly", "mark"),
    ("my daughter joy long was told she has ms, can she swim", "joy long"),
    ("does my mum Małgorzata Wiśniewska need a wheelchair with ms", "małgorzata wiśniewska malgorzata wisniewska"),
    ("what should siobhán o'connor eat with als", "siobhán siobhan o'connor connor"),
    ("is it safe for José García-Márquez to swim with MS", "josé jose garcía garcia márquez marquez"),
    ("my son muhammad ali khan has ms can he fast", "muhammad ali khan"),
    ("can priya ramanathan take yoga classes with ms", "priya ramanathan"),
    ("nguyễn thị hoa asks if ms is worse in summer", "nguyễn nguyen thị thi hoa"),
    ("my wife 王秀英 has als what food can she eat", "王秀英"),
    ("моя жена Ольга has ms, what food can she eat", "ольга моя жена"),
    ("can you tell me what Søren Kierkegård should do about his als voice bank", "søren soren kierkegård"),
    ("my friend jürgen müller wants to know about als and wine", "jürgen jurgen müller muller"),
    ("chukwuemeka okonkwo asks: does als run in the family in africa", "chukwuemeka okonkwo"),
    ("dr brown said i have ms, dr. patel said no, who is right", "brown patel"),
    ("Mrs Green and Mr White both have MS, can they dance together", "green white"),
    ("nurse Joy at the clinic said als is rare, is it", "joy"),
    ("what can uncle bob do about his als cramps when he is on a boat", "bob"),
    ("can my sister rose drink coffee with ms", "rose"),
    ("I am Ana-Maria Popescu-Ionescu and ask about ms and tattoos", "ana maria popescu ionescu"),
    ("please help, regards, dawn fields", "dawn fields"),
    ("J. R. Hartley wants to know if als hurts the teeth", "j. r. hartley"),
    ("is it true that JOHN MCALLISTER has ms and can box", "john mcallister"),
    ("HELLO MY NAME IS PETRA NOVAKOVA CAN I DYE MY HAIR WITH MS", "petra novakova"),
    ("my neighbour zbigniew keeps bees, can bee stings help his ms", "zbigniew"),
    ("jo\u200bhn sm\u00adith asks if ms and piercings go together", "jo hn sm ith john smith"),
    # dates and ages
    ("I was born on 12/03/1961, can I still get MS", "12/03/1961 12 03 1961"),
    ("dob 1961-03-12 is als likely for me to get", "1961-03-12 1961"),
    ("I was born on the fifth of march nineteen sixty one, can I get als", "fifth march nineteen sixty"),
    ("my birthday is 3rd Aug 1958, am i too old for ms", "3rd aug 1958"),
    ("my gran is 94 years old, can she get ms now", "94"),
    ("grandad is ninety-four, can he get ms at that age", "ninety four ninety-four"),
    ("she is one hundred and two years old and has ms, is that a record", "hundred two"),
    ("diagnosed monday 14 november 2022, can i fly with ms", "monday 14 november 2022"),
    # numbers
    ("my nhs number is 943 476 5919, what about ms and tattoos", "943 476 5919"),
    ("NHS no 9434765919 can you look up my ms", "9434765919"),
    ("ssn 078-05-1120 does als pay benefits", "078-05-1120 078 1120"),
    ("national insurance QQ 12 34 56 C, is there money for als", "qq 12 34 56"),
    ("my medicare number is 1EG4-TE5-MK73, is ms covered for hair loss", "1eg4-te5-mk73 1eg4 te5 mk73"),
    ("patient id MRN0048213 asks about als and dogs", "mrn0048213"),
    ("pesel 44051401359 czy ms boli and what then of hair", "44051401359"),
    ("my card 4111 1111 1111 1111 paid for an ms book, where is it", "4111 1111"),
    ("pay to GB82 WEST 1234 5698 7654 32 for my als hair study", "gb82 west 1234 5698 7654"),
    ("my plate is LK19 ABC, can i drive with ms to france", "lk19 abc"),
    (
        "\uff11\uff12\uff13\uff14\uff15\uff16\uff17 is my number, can ms people dye their hair",
        "1234567 \uff11\uff12\uff13",
    ),
    # telephone
    ("call me on 07700 900123 about ms and hair dye please", "07700 900123"),
    ("my number is +44 20 7946 0958, tell me of als and music", "+44 7946 0958"),
    ("ring (555) 123-4567 if als people can have pets", "555 123-4567 4567"),
    ("phone 0049 30 901820 for my als and music question", "0049 901820"),
    ("text me at oh seven seven double four nine one two about ms and pets", "oh seven double four nine"),
    # e-mail, addresses of the web, handles
    ("mail anna.kowalska@example.org about ms and hair dye", "anna kowalska @ example.org example"),
    ("my email is bob at gmail dot com, what of als and music", "bob gmail"),
    ("write to me: ms_mum_1979@hotmail.co.uk about ms and tattoos", "hotmail ms_mum_1979 1979"),
    ("see https://www.facebook.com/anna.kowalska.5 and tell me of als and pets", "facebook anna kowalska https"),
    ("my blog is kowalskafamily.wordpress.com, is als like that with pets", "kowalskafamily wordpress"),
    ("i am @als_dad_tom on twitter, do pets help als people", "als_dad_tom @als_dad_tom tom"),
    ("i am @lovely_garden_walks on the forum, do dogs help ms people", "lovely garden walks"),
    ("my insta is msfighteranna what about ms and hair dye", "msfighteranna"),
    ("#TeamKowalska asks about ms and hair dye", "teamkowalska"),
    ("my ip is 192.168.12.7 and i ask about als and music", "192.168.12.7 192"),
    # addresses and places
    ("I live at 12 High Street, Reading RG1 2AB, where do MS people swim", "12 high street reading rg1 2ab"),
    ("we live in bath and want to know where ms people can swim", "bath"),
    ("Flat 3, 25 Orchard Close, is ms common here", "25 orchard close"),
    ("i'm at 1600 pennsylvania avenue washington dc 20500, is als common here", "1600 pennsylvania washington 20500"),
    ("mein mann wohnt in der Lindenstraße 5, 10969 Berlin, hat er ms", "lindenstraße lindenstrasse 10969 berlin"),
    ("postcode sw1a 1aa, is there an ms choir here", "sw1a 1aa"),
    ("i grew up in a village called sandy lane, is als common there", "sandy lane"),
    ("from Kraków, is there an als choir for people here", "kraków krakow"),
    # work, school, care
    ("I work at Tesco in Slough, can i keep my job with ms", "tesco slough"),
    ("i work for apple and my boss asks about my ms hair loss", "apple"),
    ("employed by shell, can i go to sea with ms", "shell"),
    ("my employer is target, must i tell them about als", "target"),
    ("she teaches at St Mary's Primary, can she sing with ms", "st mary's mary primary"),
    (
        "seen at the Walton Centre by Dr Carolyn Young, do i have to stop the dance class with ms",
        "walton carolyn young",
    ),
    ("i study at king's college london, can i do sport with als", "king's king london"),
    ("my rowing club Happy Wheels wants to know about ms and cake", "happy wheels"),
    ("I am the mayor of Ottawa and have ms, may i stay in office", "ottawa"),
]


@pytest.fixture(scope="module")
def redactor(facts: Snapshot) -> Redactor:
    return Redactor(facts.terms.values())


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\s,]+", text))


def test_there_are_many_ways_to_tell_who_one_is() -> None:
    assert len(TELLING) >= 60


@pytest.mark.parametrize(("text", "telling"), TELLING, ids=lambda value: value[:40].encode("ascii", "replace").decode())
def test_nothing_stays_that_tells_who_wrote(text: str, telling: str, redactor: Redactor) -> None:
    kept = redactor.redact(text) or ""
    assert words(kept) & words(telling) == set(), kept
    assert not re.search(r"[^a-z'_ -]", kept), kept


def test_what_was_asked_stays(redactor: Redactor) -> None:
    """Else all of the above would be easy."""
    for text, question in (
        ("my name is John Smith and I want to know about fatigue in MS", "i want to know about fatigue in ms"),
        ("my husband Mark has ALS, can he still fly", "my husband _ has als can he still"),
        ("i work for apple and my boss asks about my ms hair loss", "about my ms hair loss"),
        ("can people with MS get tattoos or piercings?", "can people with ms get tattoos or"),
        ("my neurologist wants me to try Ocrevus, is wine okay?", "is wine okay"),
        (
            "is Lhermitte's sign a thing in Parkinson's disease and MS/ALS",
            "lhermitte's sign a thing in parkinson's disease",
        ),
        ("What about Stephen Hawking, did he walk?", "what about stephen hawking did he walk"),
    ):
        assert question in (redactor.redact(text) or ""), text
    kept = [redactor.redact(text) for text, _ in TELLING]
    assert sum(1 for text in kept if text) > len(TELLING) / 2


def test_a_message_with_little_left_is_not_kept_at_all(redactor: Redactor) -> None:
    assert redactor.redact("Wojciech Szczęsny, Barbara Nowak, Piotr Zieliński") is None
    assert redactor.redact("ho sentito che la sclerosi multipla colpisce le donne") is None
    assert redactor.redact("07700 900123") is None
    assert redactor.redact("Wojciech Szczęsny and Piotr Zieliński met Barbara Nowak walking") is None
    assert redactor.redact("is it") is None
    assert redactor.redact("") is None


def test_a_long_story_is_not_kept(redactor: Redactor) -> None:
    """Who wrote it can be told from what happened, without a name."""
    assert redactor.redact("what can i do about my legs at night " * 3)
    assert redactor.redact("what can i do about my legs at night " * 20) is None


@pytest.mark.parametrize("name", ["stephen", "hawking", "lou", "charcot", "hashimoto", "kennedy", "wilson", "selma"])
def test_a_famous_name_stays_only_where_it_is_the_famous_one(name: str, redactor: Redactor) -> None:
    assert name not in (redactor.redact(f"what can {name} do about tired legs in als") or "").split()


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(["Anna", "will", "may", "12", "@x", "é", "ms", "als", "is", "-", "'", "/", ".", "joy"])
    ).map(" ".join)
)
def test_only_words_of_the_list_come_out(redactor: Redactor, text: str) -> None:
    for word in (redactor.redact(text) or "").split():
        assert word == MASK or redactor.may_stay(word) or redactor.is_part_of_a_term(word), (text, word)


def test_the_list_of_english_words_is_the_one_that_the_names_were_taken_from() -> None:
    """Another list may have names among its commonest words that `redaction_words.txt` does not know."""
    data = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_bytes()
    assert hashlib.sha256(data).hexdigest() in (ROOT / "server" / "redaction_words.txt").read_text("utf8")
