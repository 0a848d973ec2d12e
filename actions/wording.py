"""Fixed wordings: titles of questions, what to ask next, and everything that is not a fact."""

from __future__ import annotations

from typing import Dict, Iterable, Tuple

from facts.schema import worded

#: How a button names a question; {it} is MS, ALS or both, and the verb follows it.
TITLES: Dict[str, str] = {
    "definition": "What {is_} {it}?",
    "difference": "How do MS and ALS differ?",
    "similarity": "What do MS and ALS share?",
    "symptoms": "Symptoms of {it}",
    "early_signs": "First signs of {it}",
    "symptom_check": "Which symptoms come with {it}?",
    "cause": "What causes {it}?",
    "risk_factors": "What raises the risk of {it}?",
    "genetics": "{Do} {it} run in families?",
    "autoimmune": "{Is} {it} autoimmune?",
    "myelin": "What happens to the nerves in {it}?",
    "contagious": "Can you catch {it}?",
    "prevention": "Can {it} be prevented?",
    "prevalence": "Who gets {it}?",
    "diagnosis": "How {is_} {it} diagnosed?",
    "mimics": "What can look like {it}?",
    "both_together": "Can someone have both?",
    "types": "Types of {it}",
    "progression": "How {do} {it} change over time?",
    "prognosis": "Life expectancy with {it}",
    "fatality": "Do people die of {it}?",
    "treatment": "How {is_} {it} treated?",
    "drug": "Drugs for {it}",
    "cure": "Is there a cure for {it}?",
    "research": "Research on {it}",
    "lifestyle": "Exercise, food and daily life with {it}",
    "therapy": "Therapy and aids for {it}",
    "cognition": "Thinking and mood in {it}",
    "pain_fatigue": "Pain and tiredness in {it}",
    "mobility": "Walking and movement in {it}",
    "bladder_bowel": "Bladder and bowel in {it}",
    "swallowing_speech_breathing": "Swallowing, speech and breathing in {it}",
    "vision_senses": "Sight and feeling in {it}",
    "pregnancy": "Pregnancy and {it}",
    "vaccines": "Vaccines and {it}",
    "name_history": "Names and history of {it}",
    "famous_people": "Well-known people with {it}",
    "support": "Who can help with {it}?",
    "when_to_see_doctor": "When to see a doctor",
}

#: What people tend to ask next.
RELATED: Dict[str, Tuple[str, ...]] = {
    "definition": ("early_signs", "cause", "diagnosis", "treatment"),
    "difference": ("early_signs", "diagnosis", "prognosis", "treatment"),
    "similarity": ("difference", "early_signs", "both_together"),
    "symptoms": ("early_signs", "diagnosis", "treatment", "when_to_see_doctor"),
    "early_signs": ("diagnosis", "mimics", "when_to_see_doctor"),
    "symptom_check": ("early_signs", "mimics", "when_to_see_doctor"),
    "cause": ("risk_factors", "genetics", "prevention"),
    "risk_factors": ("genetics", "prevention", "prevalence"),
    "genetics": ("risk_factors", "cause", "types"),
    "autoimmune": ("cause", "myelin", "treatment"),
    "myelin": ("autoimmune", "symptoms", "diagnosis"),
    "contagious": ("cause", "genetics"),
    "prevention": ("risk_factors", "genetics"),
    "prevalence": ("risk_factors", "genetics", "prognosis"),
    "diagnosis": ("mimics", "early_signs", "treatment"),
    "mimics": ("diagnosis", "early_signs", "when_to_see_doctor"),
    "both_together": ("difference", "mimics"),
    "types": ("progression", "diagnosis", "treatment"),
    "progression": ("prognosis", "treatment", "therapy"),
    "prognosis": ("progression", "treatment", "support"),
    "fatality": ("prognosis", "therapy", "support"),
    "treatment": ("drug", "therapy", "research", "cure"),
    "drug": ("treatment", "research", "therapy"),
    "cure": ("treatment", "research"),
    "research": ("treatment", "cure"),
    "lifestyle": ("therapy", "pain_fatigue", "support"),
    "therapy": ("mobility", "swallowing_speech_breathing", "support"),
    "cognition": ("support", "symptoms", "treatment"),
    "pain_fatigue": ("lifestyle", "treatment", "therapy"),
    "mobility": ("therapy", "progression", "lifestyle"),
    "bladder_bowel": ("symptoms", "treatment"),
    "swallowing_speech_breathing": ("therapy", "symptoms"),
    "vision_senses": ("symptoms", "early_signs", "diagnosis"),
    "pregnancy": ("genetics", "treatment"),
    "vaccines": ("treatment", "lifestyle"),
    "name_history": ("definition", "famous_people"),
    "famous_people": ("name_history", "definition"),
    "support": ("therapy", "lifestyle", "cognition"),
    "when_to_see_doctor": ("early_signs", "diagnosis"),
}

#: Asked by people who have just arrived.
STARTERS = ("definition", "early_signs", "diagnosis", "treatment", "support")

#: Somebody to talk to first.
FOR_THE_FRIGHTENED = ("support", "when_to_see_doctor", "definition")

GREETING = (
    "Hello. I answer questions about multiple sclerosis (MS) and ALS (also called MND). What would you like to know?"
)
GOODBYE = "Goodbye, and take care. I am here whenever you have another question."
THANKS = "You are welcome. Ask me anything else about MS or ALS."
HOW_ARE_YOU = "I am a program, so I am always the same. What would you like to know about MS or ALS?"
IDENTITY = (
    "I am a computer program, not a doctor and not a person. I answer general questions about MS and ALS from a "
    "list of facts with their sources. {review}"
)
HELP = (
    "I can tell you about MS and ALS, one or both side by side: symptoms, tests, causes, outlook, treatment, daily "
    'life and where to find help. Ask in your own words, a word or two is enough. You can say "tell me more", '
    '"more simply", "and for ALS?", "start over" or "forget me".'
)
PRAISE = "Thank you. I am glad that helped. Is there anything else about MS or ALS?"
COMPLAINT = "I am sorry that was not what you needed. Please try other words, or pick a question below."
FRIGHTENED = (
    "I am sorry. This is a lot to carry, and being scared makes sense. You don't have to take in everything today. "
    "A nurse or a patient society can talk with you in person. I am here for your questions, one at a time."
)
OKAY = "All right. What would you like to know next?"
START_OVER = "We start afresh. What would you like to know about MS or ALS?"
FORGET_ME = "Done. What we talked about is erased here. You can ask a new question at any time."
ERROR = (
    "I am sorry, I cannot look up my facts right now. Please try again in a minute. If this is urgent, ask a doctor "
    "or call your emergency number (112, 911 or 999)."
)
UNCLEAR = "I am not sure what you would like to know. Is it one of these?"
UNCLEAR_TOPIC = "I am not sure I understood. Did you mean one of these?"
NOTHING_BEFORE = "I am not sure what that is about yet. Which question can I answer?"
TO_A_PERSON = (
    "I still don't understand, and I don't want to guess. A person can help you better: your doctor or nurse, or "
    "one of these organisations."
)
NOT_COVERED = "I don't have that in my facts about {it}."
NO_ANSWER_FOR = "I have no fact on this question in {it}: {title}."
NOTHING_ON_NAMED = "I have nothing on {name} in my facts about {it}."
NOTHING_ON = "I have nothing on this about {name} ({what}). What I do have:"
NO_RECORD_OF = "I have nothing on {name} in my facts."
ASK_THEM = "These organisations may know."
ONLY_ENGLISH = (
    "I am sorry, I can only read and answer English. If you can, please write your question in English.\n"
    "MedlinePlus has pages in many languages: https://medlineplus.gov/languages/languages.html\n"
    "In an emergency call 112, 999, 911 or the number of your country."
)
WHICH_DISEASE = "I only know about MS and ALS. Is your question about one of them?"
UNKNOWN_BUTTON = "I can't use that button any more. Please ask in your own words, or pick one of these."
#: By the status of a drug; what an approval or a refusal means for those who read of it.
DRUG_STATUS = {
    "withdrawn": "{name} is no longer on the market.",
    "not_approved": "{name} is not approved in the US.",
    "off_label": "{name} is not approved for this disease; doctors use it off-label.",
    "in_use": "{name} is in use, without an approval of its own for this disease.",
}
OUT_OF_SCOPE = "I only know about MS and ALS, so I can't help with that. I can answer questions like these."
OTHER_CONDITION = "I only cover MS and ALS, not {name}."
OTHER_CONDITION_UNNAMED = "I only cover MS and ALS, not other diseases."
MEDLINEPLUS = "MedlinePlus, from the US National Library of Medicine, has pages on other diseases: {url}"
NO_MORE = "That is all I have on this. Your care team or a patient society can tell you more."
#: The first sentences to somebody who tells of their own signs: what they can mean in them is not told.
OWN_SIGNS = (
    "Most things that feel like this are neither MS nor ALS, and a doctor can look for the cause. If it is new, lasts "
    "or gets worse, show it to one soon. If it came on suddenly, call your emergency number now."
)
#: The last sentences of a reply about somebody's own case, by what it is about.
PERSONAL_NAMED = {
    "symptom": "I can't judge your own signs, and no chat can: a doctor who examines you can.",
    "drug": (
        "I can't judge what is right for you. Please don't start, stop or change a medicine on your own: your MS or "
        "ALS team or a pharmacist can tell you, often the same day."
    ),
    "test": (
        "I can't judge your own result. The doctor who ordered the test knows what it means for you: ask for a talk "
        "about it."
    ),
    None: (
        "I can't judge your own case. Your doctor, neurologist or specialist nurse can. Call them this week, or "
        "sooner if something is getting worse."
    ),
}
EMERGENCY = (
    "This could be an emergency. Call your emergency number now.\n{numbers}\n"
    "If you can't speak, let someone near you call, or write:\n{texts}\n"
    "Stay with the person and unlock the door. If it is ALS (MND), tell the crew so: oxygen must be given with care, "
    "and a breathing machine and its mask should come along. I stay here, but I can't send help."
)
CRISIS = (
    "I am really glad you told me. You matter, and you don't have to go through this alone. Please talk to someone "
    "now.\n{lines}\nIf you might act on it, call your emergency number: {numbers}. If you can, stay near someone you "
    "trust. This chat stays open."
)
CRISIS_CARER = (
    "Thank you for saying it. Caring can push anyone past their strength, and you both need help now. Make sure they "
    "can breathe and are safe, then step out of the room and call someone.\n{lines}\nIf you or they are in danger, "
    "call your emergency number: {numbers}. Ask the care team today for a break and for help at home. This chat stays "
    "open."
)
#: Said when a cry for help is heard and even the facts, which hold every number, cannot be read.
ALARM_WITHOUT_FACTS = {
    "emergency": (
        "This could be an emergency. Call your emergency number now: 112 in Europe, 999 in the UK, 911 in the US and "
        "Canada, 000 in Australia, 111 in New Zealand. If you can't speak, let someone near you call."
    ),
    "crisis": (
        "I am really glad you told me. Please talk to someone now: call or text 988 in the US and Canada, call 116 123 "
        "in the UK and Ireland, or find a line at findahelpline.com. If you might act on it, call 112, 999 or 911."
    ),
}
ARE_YOU_SURE = "This is what my sources say. They are named below, so you can check them."
WHERE_FROM = "It comes from the sources named below."
NOT_THIS_DISEASE = "As far as my facts go, it is not a drug for {it}."
NO_SYMPTOM_FACT = "I have no fact about this symptom in {it}."


def it(conditions: Iterable[str]) -> str:
    """How a text names the diseases meant."""
    names = list(conditions)
    return names[0] if len(names) == 1 else "MS and ALS"


def title(topic: str, conditions: Iterable[str]) -> str:
    """The question of a button, in words."""
    names = list(conditions)
    return worded(TITLES[topic], it(names), len(names) > 1)
