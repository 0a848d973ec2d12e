"""Emergencies and crises, found by rules of their own beside the classifier. Either is enough."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Pattern, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

_ME = r"(?:i|im|i'm|i am|ive|i've|me|my|myself|we|he|hes|he's|she|shes|she's|they|mum|mom|dad|mother|father|wife|husband|partner|son|daughter|brother|sister|friend|someone|somebody|patient|baby|kid|child|grandma|grandpa|nan)"
_NOW = r"(?:now|right now|just now|suddenly|all of a sudden|this minute|seconds ago|minutes ago|an hour ago|this morning|since this morning|tonight|woke up|just|today|all at once|out of nowhere|overnight|last night)"


def _any(*patterns: str) -> Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))


#: A calm question about such things in general: the rules keep silent, the classifier decides.
_GENERAL = _any(
    r"^(?:what|how|why|when|do|does|is|are|can|could|which|who|will)\b(?!.*\b(?:i|im|i'm|me|my|myself|he|she|hes|shes)\b)",
    r"\b(?:people|patients|someone|anyone|person|sufferers|everyone|many|those) with\b",
    r"\b(?:suicide|death|choking|mortality) (?:rate|rates|risk|statistics|numbers)\b",
    r"\b(?:in general|generally speaking|for a school|essay|article|study)\b",
)

ALARMS = ("crisis", "emergency")
#: From here on the classifier alone raises an alarm: over the whole message, or in one sentence when
#: the whole leans that way.
SUSPECTED, SUSPECTED_IN_SENTENCE, LEANS = 0.4, 0.9, 0.08

#: Somebody in particular, so never a question in general.
_OWN = re.compile(
    r"\b(?:i(?!'?m (?:writing|doing|working|reading|studying|researching)\b)|me|my|myself|he|she|him|her|they|we|us|our)\b"
)

_CRISIS = _any(
    r"\bki+l+(?:ing)? (?:my ?self|him ?self|her ?self|them ?selves)\b",
    r"\bkilling (?:my ?self|him ?self|her ?self|them ?selves)\b",
    r"\b(?:end|ending|take|taking|took) (?:my|his|her|their) (?:own )?(?:life|lives)\b",
    r"\b(?:end|ending) (?:it|everything|things)(?: all| now| tonight)?\b(?! (?:up|with))",
    r"\b(?:rather|better) (?:be |off )?dead\b|\bwant (?:it|this|everything) (?:all )?(?:to be )?over\b|\btop(?:ping)? (?:my|him|her) ?self\b",
    r"\b(?:tonight|today|tomorrow|this) (?:is|will be) (?:the|my) last (?:night|day)\b|\bmy last (?:night|day) (?:alive|on earth|here)\b",
    r"\b(?:saving|hoarding|stockpiling|hiding|collecting) (?:up )?(?:my|his|her|the) ?(?:\w+ )?(?:pills|tablets|meds|medication|morphine)\b",
    r"\b(?:driv(?:e|ing)|steer(?:ing)?|crash(?:ing)?) (?:\w+ ){0,3}into (?:a|the) (?:tree|wall|lorry|truck|river)\b|\bjump(?:ing)? (?:off|in front of)\b",
    r"\b(?:gun|rope|pills|pillow|knife)\b.*\b(?:doesn'?t trust|don'?t trust|hide|locked? away|over (?:my|his|her) (?:face|head))\b|\bput (?:a|the) pillow over\b|\b(?:hide|lock up|take away) (?:the |his |her |my )?(?:key to the )?(?:gun|pills|rope)\b",
    r"\bwon'?t wake up\b.*\bpills\b|\bpills\b.*\bdon'?t wake up\b|\b(?:done with|finished with|tired of) (?:life|living|being alive|everything)\b",
    r"\b(?:texted|messaged|told|sent) (?:me |us )?(?:a )?(?:goodbye|final message)\b|\bwr(?:ote|itten|iting) (?:the |my |his |her |a )?(?:goodbye |farewell )?(?:letters?|notes?) (?:to|for) (?:my|his|her) (?:family|kids|children|wife|husband|mum|mom|parents)\b",
    r"\bwant(?:s|ed)? (?:to )?(?:just )?(?:die|be dead|not exist|disappear for ?ever|sleep and never wake)\b",
    r"\bwanna (?:just )?(?:die|be dead)\b",
    r"\bwish (?:i|he|she) (?:was|were|wasn'?t|weren'?t|had never|could) (?:dead|here|alive|been born|born|die|not wake)\b",
    r"\b(?:don'?t|do not|dont|doesn'?t|didn'?t|no longer|not) want (?:to|too) (?:live|be alive|be here|exist|wake up|go on|carry on|keep going)\b",
    r"\b(?:don'?t|dont|do not) wanna (?:live|be here|be alive|exist|wake up|go on)\b",
    r"\bbetter off (?:without me|dead|if i (?:was|were) (?:dead|gone))\b",
    r"\b(?:no|any) (?:reason|point) (?:to|in) (?:live|living|go on|going on|carry on|being alive|being here|be here)\b",
    r"\bcan(?:'?t| ?not) (?:go on|do this any ?more|take (?:it|this) any ?more|live like this|face another day|keep going)\b",
    r"\bsuicidal\b",
    r"\b(?:keep looking|looking|staring|standing|sitting|stood) (?:at|on|by|under|down from) (?:a|the) (?:bridge|ledge|roof|tracks|cliff|edge)\b",
    r"\b(?:crush|take|taking|swallow|mix) (?:up )?all (?:of )?(?:my|his|her|the|these|those) (?:\w+ )?(?:pills|tablets|meds|medicine|medication)\b",
    r"\b(?:pills|tablets|meds)\b.*\b(?:not|never|don'?t|won'?t|stop me) (?:ever )?wak(?:e|ing)\b",
    r"\b(?:switch|turn) (?:my own |my |off my )?(?:vent|ventilator|machine)(?: myself)? off\b.*\b(?:because|can'?t|life)\b|\bcan'?t bear (?:this life|to live|living|it any ?more)\b",
    r"\b(?:commit|committing|attempt|attempted|thinking (?:of|about)|thoughts of|thought about|considering|planning|contemplating|talks? (?:of|about)|talking about) (?:my |his |her )?(?:suicide|ending (?:it|my|his|her|things))",
    r"\b(?:kms|unalive|unaliving)\b",
    r"\b(?:self.?harm(?:ing|ed)?|hurt(?:ing)? my ?self|cut(?:ting)? my ?self|harm(?:ing)? my ?self)\b",
    r"\b(?:overdose|o\.?d\.?) (?:on|myself|tonight)\b|\btake all (?:my|the|his|her) (?:pills|tablets|meds|medication|baclofen|morphine)\b",
    r"\bhow (?:many|much)\b.*\b(?:to die|would kill|to kill|lethal|to overdose|end it)\b",
    r"\b(?:painless|least painful|easiest|quickest|fastest|best) way (?:to )?(?:die|go|end|to end|of dying|kill)\b",
    r"\bhelp (?:me|him|her) (?:to )?die\b|\blet me die\b|\bplease (?:just )?kill me\b|\bready to die\b",
    r"\b(?:life is|life's) (?:not|no longer|n't) worth\b|\bnot worth living\b|\blife isn'?t worth\b",
    r"\b(?:jump(?:ing)? off (?:a|the) (?:bridge|roof|building)|hang(?:ing)? my ?self|shoot(?:ing)? my ?self|slit(?:ting)? my)\b",
    r"\b(?:say|saying|said|wrote|write|writing) (?:my |his |her )?(?:final |last )?goodbyes?\b.*\b(?:everyone|for ?ever|note|letter)\b|\bsuicide note\b",
)

_EMERGENCY = _any(
    r"\b(?:can'?t|can ?not|cant|couldn'?t|unable to|not able to|struggling to|fighting to|barely|stopped|isn'?t|not) breath(?:e|ing)?\b(?!.*\b(?:exercise|test)\b)",
    rf"\b{_ME}\b.*\bcan'?t (?:get|catch) (?:any |my |his |her |enough )?(?:air|breath)\b",
    r"\b(?:struggling|fighting|begging|gasping) for (?:air|breath)\b",
    r"\b(?:throat|airway|tongue|face|lips?)\b(?: \w+){0,3} (?:is |are |was )?(?:closing|swelling|swollen|tight(?:ening)?|puffing)\b",
    r"\b(?:seizure|fit|convuls\w+)\b.*\b(?:won'?t stop|not stopping|still|minutes|keeps going)\b|\bblood everywhere\b|\bbleeding (?:a lot|badly|everywhere)\b",
    r"\b(?:floppy|limp|lifeless)\b.*\b(?:respond\w*|answer\w*|wak\w*|mov\w*)\b|\b(?:isn'?t|not|stopped) respond\w*\b",
    r"\b(?:woke up|sudden(?:ly)?)\b.*\b(?:nothing|black|blind|dark|gone)\b.*\beyes?\b|\b(?:woke up|sudden(?:ly)?)\b.*\beyes?\b.*\b(?:black|blind|dark|gone|nothing)\b",
    r"\b(?:get|getting) no air\b|\bno air\b.*\bhelp\b|\bgasping\b|\bsuffocating\b",
    rf"\b{_ME}\b.*\b(?:is|am|are|'s|s|started|keeps|'m|m)? ?chok(?:ing|ed|es) (?:on|now|right|badly|and)\b",
    r"^(?:help )?(?:he|she|im|i'm|i am|hes|he's|shes|she's|my \w+ is|mum is|dad is|mom is)(?: is)? choking\b|^choking(?: help| now)?\W*$|\bhelp\b.*\bchoking\b|\bchoking\b.*\bhelp\b",
    r"\b(?:turning|turned|going|gone|went|lips?(?: are| is)?|face(?: is)?|fingers(?: are)?|looks?|is|are) (?:\w+ )?(?:blue|purple)\b",
    rf"\b(?:face|mouth|smile|one side|half (?:of )?(?:his|her|my|the) face)\b.*\b(?:droop\w*|dropp\w*|sagg\w*|fallen|crooked|lopsided|numb)\b.*(?:{_NOW}|arm|speech|slurr)",
    r"\b(?:face|mouth|smile) (?:is |has |just |suddenly |looks |started |went )*(?:droop\w*|dropp(?:ed|ing)|sagg\w*|crooked|lopsided)\b",
    rf"\b{_NOW}\b.*\b(?:can'?t|cannot|cant|lost|unable|no longer) (?:\w+ ){{0,3}}(?:see|sight|vision|move|feel my legs|walk|stand|speak|talk|legs?|arms?)\b",
    rf"\b(?:can'?t|cannot|cant|lost|unable to|no longer) (?:\w+ ){{0,4}}(?:see|sight|vision|move|walk|stand|speak|talk|legs?|arms?|eye)\b.*\b{_NOW}\b",
    r"\b(?:gone|went|going) blind (?:in|on) (?:one|my|his|her|the)\b",
    r"\b(?:collapsed|unconscious|unresponsive|passed out|won'?t wake up|not waking up|not responding|having a (?:stroke|seizure|heart attack|fit)|(?:is|stopped) convulsing)\b(?!.*\b(?:last (?:year|month|week)|years ago)\b)",
    r"\bswallowed (?:it |food |something )?(?:wrong|the wrong way)\b",
    r"\b(?:vent|ventilator|bipap|mask|trache?|trach|oxygen|cough machine)\b.*\b(?:stopped|failed|alarm\w*|broke|not working|came out|fell out|died|dead|off|disconnected|power (?:cut|is out|outage))\b.*",
    r"\b(?:call|need|send|get) (?:an |the )?ambulance\b|\bcall 911\b|\bcall 999\b|\bcall 112\b|\bdying right now\b|\bheart attack\b.*\bnow\b",
    r"\b(?:chest pain|crushing pain)\b.*\b(?:now|arm|breath|sweat)\b",
    r"\b(?:took|taken|swallowed) (?:too (?:many|much)|a whole|the whole|all (?:my|the|his|her))\b",
)


def find(text: str) -> Optional[str]:
    """`crisis`, `emergency` or None for a text."""
    plain = re.sub(r"\s+", " ", text.lower().replace("\u2019", "'")).strip()
    sentences = [s.strip() for s in re.split(r"[.!?\n;]+", plain) if s.strip()]
    for name, patterns in (("crisis", _CRISIS), ("emergency", _EMERGENCY)):
        for sentence in [*sentences, plain]:
            if patterns.search(sentence) and not _GENERAL.search(sentence):
                return name
    return None


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyRules(GraphComponent):
    """Puts `crisis` or `emergency` first in the ranking where the rules find one."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyRules:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            reading = message.get("reading")
            ranking: List[Dict[str, Any]] = message.get("intent_ranking") or []
            text = message.get(TEXT) or ""
            # Panic misspells: the text as written and as repaired are both looked at.
            found = find(text) or (find(reading.repaired) if reading else None)
            suspected = _suspected(ranking, message.get("sentence_rankings") or [])
            if found is None and suspected is not None and not _is_calm(text):
                found = suspected
            if found == "emergency" and suspected == "crisis":
                # Both name the emergency number; only the reply to a crisis speaks to despair.
                found = "crisis"
            if found is not None:
                self._put_first(message, found, ranking)
            elif ranking and ranking[0]["name"] in ALARMS:
                rest = [r for r in ranking if r["name"] not in ALARMS]
                message.set(INTENT, rest[0], add_to_output=True)
                message.set("intent_ranking", rest, add_to_output=True)
        return messages

    @staticmethod
    def _put_first(message: Message, found: str, ranking: List[Dict[str, Any]]) -> None:
        # The others are set far back, so that nothing takes the alarm for a close call.
        first: Dict[str, Any] = {"name": found, "confidence": 1.0}
        others = [{**r, "confidence": r["confidence"] / 10} for r in ranking if r["name"] != found]
        message.set(INTENT, first, add_to_output=True)
        message.set("intent_ranking", [first, *others], add_to_output=True)
        message.set("questions", [], add_to_output=True)


def _suspected(ranking: List[Dict[str, Any]], sentences: List[Dict[str, float]]) -> Optional[str]:
    """The alarm the classifier leans to, over the whole message or in a single sentence of it."""
    whole = _alarm({r["name"]: r["confidence"] for r in ranking})
    for name, confidence in [whole, *map(_alarm, sentences)]:
        if confidence >= SUSPECTED and whole[1] >= SUSPECTED:
            return name
        # A sentence of a story says little alone; the whole must point the same way.
        if confidence >= SUSPECTED_IN_SENTENCE and whole[1] >= LEANS:
            return name
    return None


def _alarm(confidences: Dict[str, float]) -> Tuple[str, float]:
    return (
        max(ALARMS, key=lambda name: confidences.get(name, 0.0)),
        sum(confidences.get(name, 0.0) for name in ALARMS),
    )


def _is_calm(text: str) -> bool:
    """A general question that is about nobody in particular."""
    plain = text.lower().replace("\u2019", "'")
    sentences = [s.strip() for s in re.split(r"[.!?\n;:]+", plain)]
    return any(_GENERAL.search(s) for s in sentences) and not _OWN.search(plain)
