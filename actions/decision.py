"""What becomes of a message: one list of named rules, read from the top; the first that fits decides.

`nlu/` measures and decides nothing. Here its numbers are read, once, together with what was talked about before and
with what the store can answer. `actions/dialogue.py` says what was decided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from actions.answers import COMPARING, answerable
from actions.question import KIND_TOPICS, Context, Message, Question, Sentence, Term, from_payload, implied_conditions
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot


@dataclass(frozen=True)
class Thresholds:
    """From which confidence on something counts. Chosen on messages of people, see docs/decisions.md."""

    #: A question, or all of its topic together, is answered.
    question: float = 0.15
    topic: float = 0.30
    #: ... in a message that names neither disease, and follows none.
    nameless_topic: float = 0.70
    #: Small talk, and a turn that leans on the one before.
    talk: float = 0.45
    #: Small talk in a turn that may follow: "what is the machine called they give you".
    talk_within: float = 0.60
    leaning: float = 0.40
    #: Small talk of which no word is in a dictionary.
    slang: float = 0.80
    #: Something else than MS or ALS: where neither is named, where one is, and where nothing but topics is likely.
    elsewhere: float = 0.40
    elsewhere_named: float = 0.75
    not_covered: float = 0.50
    #: ... likelier than all questions of ours together, none of which stands out.
    nearly_not_covered: float = 0.40
    #: Something else, even behind an answer.
    surely_elsewhere: float = 0.60
    #: A person's own case; lower where they ask what to do.
    personal: float = 0.35
    personal_decision: float = 0.15
    #: ... where they ask whether signs are the disease.
    personal_verdict: float = 0.03
    #: ... where nothing else fits.
    personal_after_all: float = 0.20
    #: What is answered within a reply to a personal question: its share of all that is a question of ours.
    within_personal: float = 0.20
    #: One of several sentences asks, and asks this question.
    asks: float = 0.50
    own_question: float = 0.20
    #: A sentence as sure of its question is not read behind the one before.
    sure_alone: float = 0.80
    #: How much likelier a question is that belongs to what was talked about, or to what was named; how much less the
    #: general one of a topic in a turn that follows, and one about a kind of thing of which none is named.
    same_topic: float = 3.0
    same_thing: float = 2.0
    general_again: float = 0.3
    #: ... and how much less how they differ in general, where both are named.
    how_they_differ: float = 0.3
    nothing_named: float = 0.25
    #: ... and how much less one that the store does not answer for the disease that is meant.
    silent: float = 0.3
    #: A turn that follows: another question near the last one, the last one again, and what is hardly there.
    following: float = 0.06
    again: float = 0.60
    hardly: float = 0.05
    #: ... and how far its own words count: as a power, and what a question has that either reading left out.
    own_words: float = 0.5
    own_little: float = 0.25
    unsaid: float = 0.05
    unseen: float = 0.02
    #: A turn as sure of another topic is no turn that follows.
    by_itself: float = 0.70
    #: A turn that asks the last question again in other words ("for how long") gets the facts nearest to it.
    nearer: float = 0.50
    #: A question that may be meant is offered to somebody who is asked back.
    offered: float = 0.05
    #: The second question of a message is answered as well, in short, when it is nearly as likely as the first.
    second: float = 0.70
    second_question: float = 0.20
    #: The cosine from which on a fact is near enough to a message to be told beside the answer.
    nearest_fact: float = 0.45


DEFAULT = Thresholds()


@dataclass(frozen=True)
class Decision:
    """What to say, and why.

    Attributes:
        say: `answer`, or the name of what `actions/dialogue.py` says otherwise.
        reason: the rule that decided.
        questions: what is answered, in order; for `clarify` what is offered.
        also: a question nearly as likely, which is answered in short behind the first.
    """

    say: str
    reason: str = ""
    questions: Tuple[Question, ...] = ()
    also: Optional[Question] = None


SMALLTALK = ("greet", "goodbye", "thank", "how_are_you", "bot_identity", "help", "praise", "complaint", "frightened",
             "deny", "start_over", "forget_me")  # fmt: skip
#: Turns that say the last answer again, differently or further.
RETOLD = ("tell_more", "simpler", "why", "source", "are_you_sure", "repeat")
LEANING = (*RETOLD, "what_about", "which_is_worse", "affirm")
#: The rule of a turn whose words say little without those before.
FOLLOWS = "a short turn on what was talked about"
ELSEWHERE = ("out_of_scope", "other_condition")
#: Topics that speak of the disease itself: without its name both are meant. Others could be about anything.
OF_THE_DISEASE = {
    "definition", "difference", "similarity", "symptoms", "early_signs", "cause", "risk_factors", "genetics",
    "autoimmune", "contagious", "prevention", "prevalence", "diagnosis", "both_together", "types", "progression",
    "prognosis", "fatality", "treatment", "cure", "research", "name_history", "famous_people",
}  # fmt: skip
#: Topics that can compare MS or ALS with a third disease.
COMPARABLE = ("mimics", "difference", "similarity", "diagnosis", "symptom_check", "both_together", "definition",
              "prognosis", "early_signs", "symptoms")  # fmt: skip
#: What two diseases named together look like, whatever else is asked.
IN_GENERAL = ("difference/overview", "similarity/overview")
#: What comes first, whichever disease it is: "just diagnosed".
OPENING = ("support/newly_diagnosed", "support/help_someone")
#: Their own signs: what such signs mean in general, never what they mean in them.
OWN_SIGNS = ("symptom_check", "early_signs", "symptoms", "mimics", "vision_senses", "mobility", "pain_fatigue",
             "bladder_bowel", "when_to_see_doctor")  # fmt: skip

#: A message of so few words says little more than the name in it; of so few it is mostly about what it names.
LIKE_A_NAME, NAMED_AND_LITTLE_ELSE = 3, 12
#: Up to so many words a turn can lack any of its own.
LITTLE_AT_MOST = 8
#: "I have ALS" and little else.
TOLD_IN = 12
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_CHOICE = re.compile(
    rf"^\W*(?:(?:the|option|number|no|nr|button|choice|answer)\W*)*"
    rf"(?:(?P<word>{'|'.join(_ORDINALS)})|(?P<last>last)|(?P<digit>[1-5]))\W*(?:one|option|choice|button|please|pls|st|nd|rd|th)*\W*$"
)
_BOTH = re.compile(r"\bboth\b")
_THE_OTHER = re.compile(r"\b(?:or|and|from|than|with)(?: only| just)?(?: \w+)? the other(?: (?:one|disease)\b|\W*$)")
_POINTS_TO_IT = re.compile(
    r"\b(?:it|its|it's|this|that|they|them|the (?:disease|illness|condition|symptoms?|signs?|treatments?|diagnosis|"
    r"outlook|prognosis|cause|drugs?|tests?))\b"
)
#: What someone asks to be decided for them, or says of their own body, results and drugs.
_DECISION = re.compile(
    r"(?:^|[.!?,;:]\s*)(?:so |but |and |now |ok )*(?:should|shud|shld|shall|must) "
    r"(?:i|we|he|she|they|my \w+|mum|mom|dad)\b"
    r"|[.!?,;] *(?:do i |can i |or )?wait (?:for|until|till) (?:my|the|an?)\b[^.?!]*\?"
    r"|\bdo i (?:need|have) (?:it|to|this|that)\b"
    r"|\b(?:how (?:fast|soon|quickly|bad|long)|when) (?:will|is|do|have) (?:my|mine|i)\b"
    r"|\b(?:would you|what would you do)\b"
)
#: ... and whether signs that were told are the disease: "... als?", "it's ms isn't it", "... carpal tunnel or mnd".
_NAMED = r"(?:ms|als|mnd|motor neuron\w*(?: disease)?|multiple sclerosis)"
_VERDICT = re.compile(
    rf"\b(?:have|has|do|does|did|could|might|am|is) (?:i|he|she|we|it|this|that|my \w+) (?:got |have |getting |be )?"
    rf"(?:it|this|{_NAMED})\b|\b{_NAMED} or not\b"
    rf"|\b(?:it's|its|it is|that's|thats|that is|this is|must be|has to be) {_NAMED}"
    r"(?: then| right| surely|,? is(?:n't|nt| it)|\W*\?|\W*$)"
    rf"|[.!?,;] *(?:so )?(?:is it |could it be |this )?{_NAMED} *\?\W*$"
    rf"|[.!?;] *(?:[\w' ]{{2,30}} or {_NAMED}|{_NAMED} or [\w' ]{{2,30}})(?: *\?|,? tell me [\w ]*|)\W*$"
)
#: Says who has it, and asks nothing: "i have als", "my husband was told on friday he has mnd".
_HAS_IT = re.compile(
    rf"^\W*(?:(?:hi|hello|hey|well|so|um|ok)\b\W*)?(?P<who>i|ive|i've|my \w+|our \w+|he|she|mum|mom|dad)\b"
    rf"(?:(?! (?:if|think|thinks|worry|worried|fear|scared|might|may|could|wonder|not|never)\b)[^?.!]){{0,40}}?"
    rf"\b(?:have|has|got|have got|ive|i've|with|living with|it is|it's) {_NAMED}(?P<rest>[^?]{{0,40}})$"
)
#: ... and asks something behind it: "my mum has ms. whats the chance i get it".
_ASKS_MORE = re.compile(
    r"\b(?:and|what|whats|what's|how|why|when|who|which|where|can|could|will|would|should|does|do|is|are)\b"
)
#: Asks which of two is the worse one, not which drug is the best.
_WORSE = re.compile(r"\b(?:worse|worst|harder|hardest|deadlier|deadliest|dangerous|serious|severe|scarier|bad|awful)\b")
#: Words that ask for something of what was talked about, whatever that was: "how long does that take", "is it safe".
_LITTLE = frozenset(
    (
        "a about after again all always an and any anyone are as at away bad be been before best better but by can "
        "common could dangerous day days did do does done even ever everyone expensive first for from get give given "
        "go goes good had happen happens has have he help helps her him his hours how hurt hurts i if in is it its "
        "just kind kinds last lasts legal long many me mean months most much my need night no normal not number of "
        "often ok old on one ones only or other others out over painful people percent percentage quickly really rest "
        "right risk risky safe same serious she should so soon sooner sort start starts still stop stops take takes "
        "than that the their them then there these they thing this those though time times to too two types uncommon "
        "us usual usually was way we weeks well were what when where which who why will with without work works worse "
        "worth would year years yes you your"
    ).split()
)
_ERASE = re.compile(r"(?<![a-z])(?:forget|delete|erase|wipe|remove|clear|scrub|destroy|get rid)(?![a-z])")
_OWN = re.compile(r"\b(?:i|im|i'm|ive|i've|my|me|he|she|his|her|hers|us|we|our|mum|mom|dad)\b")


def asks_for_verdict(text: str) -> bool:
    """Whether a text (in small letters) asks if the signs it tells of are MS or ALS."""
    return _VERDICT.search(text) is not None


@dataclass(frozen=True)
class Scope:
    """Which diseases a message is about, and how that is known: named, implied, before or unknown."""

    conditions: Tuple[str, ...]
    known_by: str


def scope(message: Message, context: Context, facts: Snapshot) -> Scope:
    """The diseases meant: by name, by what belongs to one of them, by the talk before."""
    text = message.text.lower()
    named = message.conditions
    asking = [s for s in message.sentences if s.asks >= DEFAULT.asks]
    if len(asking) == 1 and asking[0].conditions:
        named = asking[0].conditions  # one sentence of several asks, and names the disease it asks about
    if _BOTH.search(text) and not named:
        return Scope(CONDITIONS, "named")
    if not named and len(message.ruled_out) == 1 and not message.ids("mimic"):
        return Scope(tuple(c for c in CONDITIONS if c not in message.ruled_out), "named")
    if named:
        return Scope(CONDITIONS if _THE_OTHER.search(text) else named, "named")
    # Every disease has "flares" and "relapses": beside a third one they bring in neither.
    telling = [t for t in message.terms if t.kind != "topic_word"] if message.ids("mimic") else message.terms
    if implied := implied_conditions(telling, facts):
        return Scope(implied, "implied")
    if context.conditions:
        return Scope(context.conditions, "before")
    return Scope(CONDITIONS, "unknown")


@dataclass(frozen=True)
class Situation:
    """A message, what came before it, and the store; with what the rules ask about them."""

    message: Message
    context: Context
    facts: Snapshot
    thresholds: Thresholds = field(default_factory=Thresholds)

    @cached_property
    def text(self) -> str:
        return self.message.text.lower().replace("\u2019", "'")

    @cached_property
    def scope(self) -> Scope:
        return scope(self.message, self.context, self.facts)

    @cached_property
    def on_topic(self) -> float:
        """How likely it is any question of ours."""
        return sum(value for name, value in self.message.intents if name in TOPICS)

    @cached_property
    def follows(self) -> bool:
        """A short message that names no disease and is on no topic of its own, behind an answer."""
        short = self.scope.known_by == "before" and len(self.text.split()) <= 14
        return self.context.topic is not None and short and not self.asks_by_itself and not self.opens

    @cached_property
    def opens(self) -> bool:
        """Whether it says what comes first, whichever disease it is and whatever was talked about: "just diagnosed"."""
        return any(name in OPENING and value >= self.thresholds.talk for name, value in self.message.questions[:1])

    @cached_property
    def says_little(self) -> bool:
        """Whether all its words could be asked of anything: alone it seems to be about whatever is asked most so."""
        words = re.findall(r"[a-z]+", re.sub(r"'\w+", "", self.text))
        return 1 < len(words) <= LITTLE_AT_MOST and _LITTLE.issuperset(words)

    @cached_property
    def asks_by_itself(self) -> bool:
        """Whether its own words are on another topic than the one talked about: "how long do people live with it"."""
        if len(self.text.split()) <= LIKE_A_NAME or self.says_little:
            return False
        least = self.thresholds.by_itself
        return any(v >= least for n, v in self.message.intents if n in TOPICS and n != self.context.topic)

    @cached_property
    def ranked(self) -> List[Tuple[Question, float]]:
        """The questions of the store that it may be, likeliest first, with the confidence in each."""
        if not self.follows or not self.message.following:
            return self.ranking(self.message.questions, self.message.terms)
        both = self.behind(self.message.questions, self.message.following, self.context.question)
        return self.ranking(both, self.message.terms)

    def behind(
        self, alone: Sequence[Tuple[str, float]], following: Sequence[Tuple[str, float]], last: Optional[str]
    ) -> Sequence[Tuple[str, float]]:
        """What words ask that are read behind the last question: another near it, the likelier the more they say so."""
        t = self.thresholds
        own = dict(alone)
        near = {name: value for name, value in following if name != last}
        total = max(sum(near.values()), t.hardly)
        power = t.own_little if self.says_little else t.own_words
        names = [*near, *(name for name in own if name not in near and name != last)]
        return [
            (name, (near.get(name, 0.0) / total + t.unsaid) * (own.get(name, 0.0) + t.unseen) ** power)
            for name in names
        ]

    def pointed_at(self, sentence: Sentence) -> Sequence[Tuple[str, float]]:
        """What a sentence asks: one that names nothing and says "that" asks what the whole message is about."""
        if sentence.terms or sentence.conditions or not _POINTS_TO_IT.search(sentence.text.lower()):
            return sentence.questions
        whole = dict(self.message.questions)
        own = dict(sentence.questions)
        weighed = {name: (own.get(name, 0.0) + self.thresholds.unseen) * whole[name] for name in whole}
        scale = sum(own.values()) / max(sum(weighed.values()), 1e-6)
        return tuple((name, weight * scale) for name, weight in weighed.items())

    @cached_property
    def says_again(self) -> float:
        """How likely it asks the last question once more, read behind it."""
        return dict(self.message.following).get(self.context.question or "", 0.0)

    def ranking(self, measured: Sequence[Tuple[str, float]], terms: Tuple[Term, ...]) -> List[Tuple[Question, float]]:
        """Questions by how likely they are given what was named and what was talked about."""
        t = self.thresholds
        kinds = {term.kind for term in terms}
        before = {term.kind for term in self.context.terms} if self.follows else set()
        within_one = len(self.message.conditions) == 1 and "subtype" in kinds
        found: List[Tuple[Question, float]] = []
        for name, confidence in measured:
            record = self.facts.questions.get(name)
            if record is None:
                continue
            weight = confidence
            about = terms
            if record.of in kinds:
                weight *= t.same_thing
            elif record.of in before:
                weight *= t.same_thing
                about = (*terms, *(c for c in self.context.terms if c.kind == record.of))
            if self.follows and record.topic == self.context.topic:
                weight *= t.same_topic
            if self.follows and name == f"{self.context.topic}/overview":
                weight *= t.general_again
            # "how is MS diagnosed vs ALS" asks for more than how they differ, "PLS or ALS" for something else.
            if name in IN_GENERAL and (self.message.conditions == CONDITIONS or within_one):
                weight *= t.how_they_differ
            if record.of and record.of not in kinds | before:
                if not record.answers:
                    continue
                weight *= t.nothing_named
            question = Question(record.topic, self.conditions_for(name), about, self.message.text, name)
            found.append((question, weight if self.known(question) else weight * t.silent))
        total = sum(weight for _, weight in found)
        given = sum(confidence for _, confidence in measured)
        scale = given / total if total else 0.0
        return sorted(((q, w * scale) for q, w in found), key=lambda pair: -pair[1])

    def conditions_for(self, name: str) -> Tuple[str, ...]:
        """Comparing is about both, whichever is named; a question of one disease only is about that."""
        topic = name.partition("/")[0]
        if topic in COMPARING and not self.message.ids("mimic"):
            return CONDITIONS
        return self.scope.conditions

    @cached_property
    def likeliest(self) -> Optional[Question]:
        """The question to be answered; None where it is too unsure which."""
        return self.sure(self.ranked, self.thresholds.question, self.thresholds.topic)

    def sure(self, ranked: List[Tuple[Question, float]], question: float, topic: float) -> Optional[Question]:
        """The first of a ranking, if it or its topic is likely enough and the store answers it."""
        if not ranked:
            return None
        first, confidence = ranked[0]
        of_topic = sum(c for q, c in ranked if q.topic == first.topic)
        if confidence < question and of_topic < topic:
            return None
        return first

    def known(self, question: Question) -> Tuple[str, ...]:
        return answerable(question, self.facts)


Rule = Callable[[Situation], Optional[Decision]]
RULES: List[Tuple[str, Rule]] = []


def rule(name: str) -> Callable[[Rule], Rule]:
    """Adds a rule at the end of the list."""

    def add(function: Rule) -> Rule:
        RULES.append((name, function))
        return function

    return add


def decide(message: Message, context: Context, facts: Snapshot, thresholds: Thresholds = DEFAULT) -> Decision:
    """What becomes of a message."""
    situation = Situation(message, context, facts, thresholds)
    for name, function in RULES:
        decision = function(situation)
        if decision is not None:
            return replace(decision, reason=name)
    return Decision("clarify", "nothing else fits", offered(situation))


# --- what comes before any question -------------------------------------------------------------------


@rule("a button was pressed")
def _pressed(s: Situation) -> Optional[Decision]:
    if not s.message.text.startswith("/"):
        return None
    pressed = s.message.pressed
    if pressed is not None:
        # Names that nobody here gave are not handed back, in words or on buttons.
        pressed = replace(pressed, terms=tuple(t for t in pressed.terms if t.id in s.facts.terms))
        if s.known(pressed):
            return Decision("answer", questions=(pressed,))
        general = replace(pressed, id=None)
        return Decision("answer", questions=(general if s.known(general) else replace(general, terms=()),))
    if s.message.intent in (*SMALLTALK, *LEANING):
        return _said(s.message.intent)
    return Decision("unknown_button")


def _said(intent: str) -> Decision:
    return Decision(intent)


@rule("a cry for help was heard")
def _alarm(s: Situation) -> Optional[Decision]:
    return Decision(s.message.alarm) if s.message.alarm else None


@rule("it is not in English")
def _language(s: Situation) -> Optional[Decision]:
    return Decision("other_language") if s.message.language else None


@rule("no word of it is known")
def _nothing(s: Situation) -> Optional[Decision]:
    known = s.message.says_something or s.message.terms
    slang = s.message.confidence(*SMALLTALK) >= s.thresholds.slang  # "thx", "lol"
    return None if known or slang else Decision("clarify")


@rule("a button was chosen by its place")
def _chosen(s: Situation) -> Optional[Decision]:
    found = _CHOICE.match(s.text.strip())
    if not found or not s.context.offers:
        return None
    if found["last"]:
        place = len(s.context.offers) - 1
    else:
        place = _ORDINALS.index(found["word"]) if found["word"] else int(found["digit"]) - 1
    question = from_payload(s.context.offers[place]) if place < len(s.context.offers) else None
    return Decision("answer", questions=(question,)) if question else None


@rule("only a disease is named")
def _only_named(s: Situation) -> Optional[Decision]:
    message = s.message
    if not (message.names_only and message.conditions) or message.terms:
        return None
    if s.context.topic and message.conditions != s.context.conditions:
        return Decision("what_about")
    return Decision("answer", questions=(Question("definition", message.conditions, text=message.text),))


@rule("MS or ALS means something else here")
def _homograph(s: Situation) -> Optional[Decision]:
    named = s.message.conditions or s.message.ids("subtype", "drug")
    return Decision("out_of_scope") if s.message.other_meaning and not named else None


@rule("small talk")
def _smalltalk(s: Situation) -> Optional[Decision]:
    intent = s.message.intent
    least = s.thresholds.talk_within if s.follows else s.thresholds.talk
    if intent not in SMALLTALK or s.message.confidence(*SMALLTALK) < least:
        return None
    asked = bool(s.message.conditions or s.message.terms) and s.on_topic >= s.thresholds.topic
    if intent == "forget_me" and not _ERASE.search(s.text) and s.message.confidence(intent) < 0.9:
        return Decision("bot_identity")  # "do you remember me" erases nothing
    return None if asked else _said(intent)


@rule("they say who has it")
def _has_it(s: Situation) -> Optional[Decision]:
    named = s.message.conditions
    if len(named) != 1 or s.message.terms or len(s.text.split()) > TOLD_IN:
        return None
    told = _HAS_IT.search(s.text)
    if not told or _ASKS_MORE.search(told["rest"]):
        return None
    own = Question("support", named, text=s.message.text, id="support/newly_diagnosed")
    return Decision("answer", questions=(own,)) if told["who"][0] == "i" and s.known(own) else Decision("frightened")


@rule("the last question, about the other disease")
def _other_one(s: Situation) -> Optional[Decision]:
    message = s.message
    if s.context.topic is None or not message.conditions or message.terms or s.says_again < s.thresholds.again:
        return None
    own = message.questions[0] if message.questions else ("", 0.0)
    if own[0] == s.context.question:
        return Decision("what_about")
    return None if s.asks_by_itself or own[1] >= s.thresholds.again else Decision("what_about")


@rule(FOLLOWS)
def _follows(s: Situation) -> Optional[Decision]:
    # Alone such a turn looks like anything: "im in glasgow", "how many though".
    apart = 0.0 if s.says_little else s.message.confidence("out_of_scope")
    if not s.follows or apart > s.thresholds.surely_elsewhere:
        return None
    if (
        s.message.intent in (*RETOLD, "which_is_worse", "affirm")
        and s.message.confidence(*LEANING) >= s.thresholds.talk
    ):
        return None
    if s.ranked:
        first, confidence = s.ranked[0]
        near = first.topic == s.context.topic or confidence >= s.thresholds.question
        if near and confidence >= s.thresholds.following and s.known(first):
            return Decision("answer", questions=(first,))
    return Decision("nearer") if s.says_again >= s.thresholds.nearer else None


@rule("it leans on the answer before")
def _leaning(s: Situation) -> Optional[Decision]:
    message, intent = s.message, s.message.intent
    if intent not in LEANING or message.confidence(*LEANING) < s.thresholds.leaning:
        return None
    if intent == "which_is_worse":
        # "Which is slower" behind limb and bulbar onset is asked within one disease.
        within = bool(s.context.terms) and len(s.context.conditions) == 1
        of_the_diseases = not within and (s.context.topic in (None, *COMPARABLE) or _WORSE.search(s.text))
        return Decision("which_is_worse") if of_the_diseases else None
    if intent == "affirm" and s.context.offers and s.context.clarified:
        offer = from_payload(s.context.offers[0])
        return Decision("answer", questions=(offer,)) if offer and len(s.context.offers) == 1 else Decision("affirm")
    named = [t for t in message.terms if t.kind in KIND_TOPICS]
    if s.context.topic is None and (named or message.conditions) and s.likeliest:
        return None
    if intent == "what_about" or (intent in RETOLD and named):
        # "and the rarest?", "and once it is born": another question on what was talked about.
        other = _within_topic(s)
        return Decision("answer", questions=(other,)) if other else Decision("what_about")
    return _said(intent)


def _within_topic(s: Situation) -> Optional[Question]:
    """Another question on what was talked about, where the words point to one."""
    if s.message.conditions or not s.ranked or s.context.topic is None:
        return None
    first, confidence = s.ranked[0]
    near = first.topic == s.context.topic or {t.kind for t in first.terms} & {t.kind for t in s.context.terms}
    share = confidence / max(sum(c for _, c in s.ranked), 1e-6)
    fresh = first.name != s.context.question and not first.name.endswith("/overview")
    return first if near and fresh and share >= s.thresholds.leaning and s.known(first) else None


# --- where knowledge ends -----------------------------------------------------------------------------


@rule("another disease alone")
def _other_disease(s: Situation) -> Optional[Decision]:
    third = s.message.ids("mimic")
    another = s.context.topic == "mimics" and len(s.text.split()) <= LIKE_A_NAME  # "and lupus?"
    apart = s.message.confidence("other_condition")
    # "lemtrada thyroid" is asked of the drug.
    of_a_drug = s.message.ids("drug") and s.message.confidence("drug") >= apart
    ours = another or of_a_drug
    if third and not s.message.conditions and apart >= s.thresholds.elsewhere and not ours:
        return Decision("other_condition")
    if not third or ours or s.scope.known_by in ("named", "implied"):
        return None
    likely = any(s.message.confidence(t) >= 0.2 for t in (*COMPARABLE, "what_about"))
    return None if likely and s.scope.known_by == "before" else Decision("other_condition")


@rule("it is about something else")
def _elsewhere(s: Situation) -> Optional[Decision]:
    apart = s.message.confidence(*ELSEWHERE)
    least = s.thresholds.elsewhere_named if s.scope.known_by in ("named", "implied") else s.thresholds.elsewhere
    if apart < least or (apart < s.on_topic and s.scope.known_by != "unknown"):
        return None
    return Decision("other_condition" if s.message.confidence("other_condition") >= apart / 2 else "out_of_scope")


@rule("it was never written down here")
def _not_covered(s: Situation) -> Optional[Decision]:
    likely = s.message.confidence("not_covered")
    sure = likely >= s.thresholds.not_covered and s.likeliest is None
    # "What does a stairlift cost" is near every price that is known, and is none of them.
    far = likely >= max(s.thresholds.nearly_not_covered, s.on_topic) and all(
        c < s.thresholds.own_question for _, c in s.ranked[:1]
    )
    return Decision("not_covered") if sure or far else None


# --- questions ----------------------------------------------------------------------------------------


@rule("their own case")
def _personal(s: Situation) -> Optional[Decision]:
    t = s.thresholds
    likely = s.message.confidence("personal_advice")
    decision, verdict = _DECISION.search(s.text), asks_for_verdict(s.text)
    least = t.personal_verdict if verdict else t.personal_decision if decision else t.personal
    told = verdict or decision or _OWN.search(s.text)
    if likely < least or not told or s.message.confidence(*SMALLTALK) >= likely / 2:
        return None
    return Decision("personal_advice", questions=_inside(s))


def _inside(s: Situation) -> Tuple[Question, ...]:
    """What is known in general on a person's own case: a general question beside it, the likeliest, what was named."""
    for sentence in s.message.sentences:
        if asks_for_verdict(sentence.text.lower()) or _DECISION.search(sentence.text.lower()):
            continue
        beside = _of_sentence(s, sentence, None)
        if beside is not None and beside.topic not in OWN_SIGNS and s.known(beside):
            return (beside,)
    if s.ranked:
        first, confidence = s.ranked[0]
        of_one = first.topic not in COMPARING or len(s.message.conditions) > 1
        if confidence >= s.thresholds.within_personal * s.on_topic and of_one and s.known(first):
            return (first,)
    named = tuple(t for t in s.message.terms if t.kind in ("drug", "test"))
    if not named:
        return ()
    kind = named[0].kind
    # "My neurologist says ocrevus, is that one ok" behind pregnancy.
    aspect = f"{kind}/{s.context.topic}" if f"{kind}/{s.context.topic}" in s.facts.questions else None
    about = Question(KIND_TOPICS[kind], s.scope.conditions, named, s.message.text, aspect)
    return (about,) if s.known(about) else ()


@rule("several questions")
def _several(s: Situation) -> Optional[Decision]:
    asked: Dict[str, Question] = {}
    for sentence in s.message.sentences:
        question = _of_sentence(s, sentence, next(reversed(asked), None))
        if question is not None and s.known(question):
            asked.setdefault(question.name, question)
    topics = {q.topic for q in asked.values()}
    return Decision("answer", questions=tuple(asked.values())[:3]) if len(asked) > 1 and topics else None


def _of_sentence(s: Situation, sentence: Sentence, last: Optional[str]) -> Optional[Question]:
    """The question of one sentence; without a disease of its own it is read behind the one before too."""
    if sentence.asks < s.thresholds.asks:
        return None
    terms = sentence.terms or (s.message.terms if not sentence.conditions else ())
    asked = s.pointed_at(sentence)
    sure = bool(asked) and asked[0][1] >= s.thresholds.sure_alone
    if last and sentence.following and not sentence.conditions and not sure:
        both = s.behind(asked, sentence.following, last)
        share = sum(c for _, c in asked) / max(sum(c for _, c in both), 1e-6)
        asked = tuple((name, c * share) for name, c in both)
    ranked = s.ranking(asked, terms)
    if not ranked or ranked[0][1] < s.thresholds.own_question:
        return None
    question = ranked[0][0]
    if sentence.conditions and question.topic not in COMPARING:
        question = replace(question, conditions=sentence.conditions)
    return replace(question, text=sentence.text)


@rule("MS or ALS against a third disease")
def _third(s: Situation) -> Optional[Decision]:
    third = [t for t in s.message.terms if t.kind == "mimic"]
    before = [t for t in s.context.terms if t.kind == "mimic"]
    first = s.message.likely_topics[:1]
    another = s.context.topic == "mimics" and s.scope.known_by == "before"  # "and lupus?"
    if third and (not first or first[0] in COMPARABLE or another):
        terms = tuple(third)
    elif before and first and first[0] in ("difference", "similarity", "mimics") and len(s.message.conditions) == 1:
        terms = tuple(before)  # "what is lupus" - "how is it different from MS"
    else:
        return None
    name = "mimics/differs" if "mimics/differs" in s.facts.questions else "mimics/overview"
    return Decision("answer", questions=(Question("mimics", s.scope.conditions, terms, s.message.text, name),))


@rule("neither disease is named")
def _nameless(s: Situation) -> Optional[Decision]:
    if s.scope.known_by != "unknown":
        return None
    question = s.likeliest
    if question is not None and s.known(question):
        sure = next(c for q, c in s.ranked if q.name == question.name)
        of_topic = s.message.confidence(question.topic)
        speaks = question.topic in OF_THE_DISEASE and (bool(_POINTS_TO_IT.search(s.text)) or len(s.text.split()) <= 4)
        if question.topic in OWN_SIGNS and s.message.ids("symptom"):
            speaks = False  # "eye twitching, what does it mean": "it" is the sign, which could be of anything
        # Genes, forms and tests known here are of these diseases; so is what the store knows of one of them only.
        ours = {t.kind for t in s.message.terms} & {"gene", "subtype", "person", "test"}
        only_one = len(s.known(question)) == 1 and sure >= s.thresholds.nameless_topic
        of_a_drug = question.ids("drug") and sure >= s.thresholds.nameless_topic and question.topic == "drug"
        if (speaks and of_topic >= s.thresholds.nameless_topic) or ours or only_one or of_a_drug or s.opens:
            return Decision("answer", questions=(replace(question, conditions=s.known(question)),))
    if s.message.confidence(*ELSEWHERE) >= max(s.on_topic, s.message.confidence("unclear")):
        return Decision("out_of_scope")
    return Decision("which_disease" if question is not None else "clarify", questions=offered(s))


@rule("the store has no such fact")
def _unanswered(s: Situation) -> Optional[Decision]:
    question = s.likeliest
    if question is None or s.known(question):
        return None
    return Decision("no_fact", questions=(question,))


@rule("a question is near enough")
def _answer(s: Situation) -> Optional[Decision]:
    return Decision("answer", questions=(s.likeliest,), also=_second(s)) if s.likeliest else None


def _second(s: Situation) -> Optional[Question]:
    """A question nearly as likely as the first, of as many diseases."""
    if len(s.ranked) < 2:
        return None
    (first, sure), (second, less) = s.ranked[:2]
    if less < max(s.thresholds.second * sure, s.thresholds.second_question) or second.conditions != first.conditions:
        return None
    record = s.facts.questions.get(second.name)
    sensitive = record is not None and record.only_asked
    return second if set(s.known(second)) & set(s.known(first)) and not sensitive else None


@rule("a thing is named")
def _named(s: Situation) -> Optional[Decision]:
    # What was asked about it is unsure: what is known of it, and the fact nearest to these words.
    named = [t for t in s.message.terms if t.kind in ("drug", "test", "subtype", "gene", "person")]
    if len(named) != 1 or len(s.text.split()) > NAMED_AND_LITTLE_ELSE or s.message.intent == "personal_advice":
        return None
    question = Question(KIND_TOPICS[named[0].kind], s.scope.conditions, tuple(named), s.message.text)
    return Decision("answer", questions=(question,))


@rule("a remedy is named that has no record")
def _remedy(s: Situation) -> Optional[Decision]:
    known = s.message.ids("remedy") and s.scope.known_by != "unknown"
    return Decision("not_covered") if known else None


@rule("near what was talked about")
def _near(s: Situation) -> Optional[Decision]:
    """A turn that follows, unsure what it asks: the facts nearest to it tell more than being asked back."""
    if not s.follows or s.context.clarified:
        return None
    told = any(c >= s.thresholds.nearest_fact for _, c in s.message.following_facts)
    return Decision("nearer") if told else None


@rule("their own case, most likely")
def _personal_after_all(s: Situation) -> Optional[Decision]:
    # Nothing else was sure enough: who to ask helps more than being asked back.
    likely = s.message.confidence("personal_advice")
    return Decision("personal_advice", questions=_inside(s)) if likely >= s.thresholds.personal_after_all else None


def offered(s: Situation) -> Tuple[Question, ...]:
    """The likeliest questions, to choose from; none where all are as good as none."""
    return tuple(q for q, c in s.ranked[:8] if c >= s.thresholds.offered and s.known(q))[:4]
