"""One reply per outcome of the contract, with what is awkward to show: mark-up, long payloads, odd links."""

from __future__ import annotations

import json

from replies.contract import Content

DISCLAIMER = "General information, not medical advice. Talk to your doctor about your own situation."
NICE = {
    "title": "MS in adults: management",
    "publisher": "NICE",
    "url": "https://www.nice.org.uk/ng220",
    "year": 2022,
}
ODD = {
    "title": "Fischer's <Lehrbuch> & more | part 2",
    "publisher": "A & B",
    "url": "https://example.org/a_b?x=1&y=2|3#*frag*",
    "year": None,
}
NO_LINK = {"title": "Leaflet", "publisher": "Clinic", "url": "javascript:alert(1)", "year": 2019}


def payload(intent, **entities):
    """A button's payload as the actions make it."""
    return f"/{intent}{json.dumps(entities, separators=(',', ':'))}" if entities else f"/{intent}"


LONG_PAYLOAD = payload("symptom_check", condition=["ALS"], symptom=["bladder urgency", "nocturia", "Überaktivität"])


def reply(outcome, answer, *, buttons=(), **more):
    """A message as Rasa hands it to an output channel."""
    buttons = [{"title": title, "payload": payload} for title, payload in buttons]
    metadata = {"outcome": outcome, "answer": answer, "disclaimer": DISCLAIMER, "buttons": buttons, **more}
    return Content.from_dict(metadata).to_message()


TESTS = {"aspect": "Key tests", "MS": "MRI & spinal fluid (<1 h)", "ALS": "EMG, *nerve* conduction"}
ONSET = {"aspect": "Usual onset", "MS": "20 to 40 years", "ALS": "55 to 75 years"}
NEXT = (
    ("How is ALS diagnosed?", payload("diagnosis", condition=["ALS"])),
    ("Does it affect the bladder?", LONG_PAYLOAD),
    ("Tell me more", payload("tell_more")),
    ("Types of MS & <forms>", payload("types", condition=["MS"])),
    ("Who can help?", payload("support")),
    ("Is there a cure for ALS?", payload("cure", condition=["ALS"])),
    ("Start over", payload("start_over")),
)

OUTCOMES = {
    "answered": reply(
        "answered",
        "Doctors look at *symptoms*, _scans_ and ~tests~.\n> It can take `months` & <years>.",
        comparison=[TESTS, ONSET],
        sources=[NICE, ODD, NO_LINK],
        reviewed="2026-11-22",
        checked=False,
        buttons=NEXT,
        topic="diagnosis",
        conditions=["MS", "ALS"],
    ),
    "clarify": reply("clarify", "Do you mean MS or ALS?", buttons=NEXT[:3]),
    "not_covered": reply("not_covered", "I don't have that in my facts about MS.", sources=[NICE]),
    "other_condition": reply("other_condition", "I only cover MS and ALS, not lupus.", buttons=NEXT[:1]),
    "out_of_scope": reply("out_of_scope", "I only know about MS and ALS."),
    "personal_advice": reply(
        "personal_advice",
        "I can't judge your own case.",
        sources=[NICE],
        reviewed="2026-01-02",
        buttons=NEXT[:2],
    ),
    "crisis": reply(
        "crisis", "Please call 988, 116 123 or 112 now. See https://findahelpline.com/a_b_c.", sources=[NICE]
    ),
    "emergency": reply("emergency", "Call 112, 911 or 999 now."),
    "smalltalk": reply("smalltalk", "Hello. What would you like to know?", buttons=NEXT),
    "error": reply("error", "I am sorry, I cannot look up my facts right now."),
}

#: An answer that a drawing explains.
DRAWN = reply("answered", "MRI shows spots.", topic="diagnosis", question="diagnosis/overview", conditions=["MS"])


def words_of(message):
    """Every word a person must be able to read, from the reply's metadata."""
    meta = message["metadata"]
    texts = [meta["answer"], meta["disclaimer"], meta["reviewed"] or ""]
    texts += [x for row in meta["comparison"] for x in row.values()]
    texts += [str(s[k] or "") for s in meta["sources"] for k in ("title", "publisher", "year")]
    return [w for t in texts for w in t.split()]
