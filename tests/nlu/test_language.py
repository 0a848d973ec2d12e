"""Languages are told from English by little, English never from itself; cries for help are heard in thirteen languages."""

from __future__ import annotations

import re
import unicodedata

import pytest

from nlu.language import OTHER, foreign, foreign_alarm, languages

FOREIGN = {
    "es": [
        "qué es ELA", "que es la esclerosis multiple", "hola, tengo una pregunta sobre la EM", "¿se cura la ELA?",
        "cuáles son los primeros síntomas", "mi padre tiene ELA y no puede tragar", "esclerosis lateral amiotrofica sintomas",
        "cuanto vive una persona con ELA", "es hereditaria la esclerosis multiple?", "¿Puedo tener hijos con EM?", "gracias por la ayuda",
        "quiero saber si la EM afecta la vista", "diferencia entre esclerosis múltiple y ELA",
    ],
    "pt": [
        "o que é esclerose múltipla", "quais são os sintomas da ELA", "minha mãe tem esclerose multipla", "existe cura para a ELA?",
        "a esclerose múltipla é hereditária?", "quanto tempo vive uma pessoa com ELA", "não sei o que fazer", "olá, preciso de ajuda",
        "qual a diferença entre EM e ELA", "posso engravidar tendo esclerose múltipla",
    ],
    "fr": [
        "c'est quoi la SEP", "quels sont les symptômes de la sclérose en plaques", "qu'est-ce que la SLA", "ma mère a la SLA depuis deux ans",
        "la sclérose en plaques est-elle héréditaire ?", "combien de temps vit-on avec la SLA", "bonjour, j'ai une question",
        "peut-on guérir de la SEP", "je suis très fatigué avec la SEP", "comment se fait le diagnostic",
    ],
    "it": [
        "che cos'è la sclerosi multipla", "sintomi sclerosi multipla", "mio padre ha la SLA", "la sclerosi multipla è ereditaria?",
        "quanto si vive con la SLA", "quali sono i primi sintomi", "posso avere figli con la sclerosi multipla", "grazie per l'aiuto",
        "differenza tra SM e SLA", "come si cura la SLA",
    ],
    "de": [
        "was ist MS", "wie äußert sich ALS am Anfang", "ist Multiple Sklerose heilbar", "mein Vater hat ALS",
        "welche Symptome hat man bei MS", "ist ALS vererbbar?", "wie lange lebt man mit ALS", "hallo, ich habe eine Frage",
        "kann ich mit MS schwanger werden", "Unterschied zwischen MS und ALS", "Behandlung von ALS",
    ],
    "nl": [
        "wat zijn de symptomen van MS", "hoe lang leef je met ALS", "is ALS erfelijk", "mijn moeder heeft MS",
        "wat is het verschil tussen MS en ALS", "ik heb een vraag over multiple sclerose", "kun je genezen van MS?", "bedankt voor de hulp",
        "welke medicijnen zijn er voor ALS", "hoe wordt de ziekte vastgesteld",
    ],
    "pl": [
        "co to jest SM", "jakie są objawy stwardnienia rozsianego", "czy SLA jest dziedziczne", "moja mama ma stwardnienie rozsiane",
        "ile się żyje z SLA", "czy można wyleczyć SM", "dzień dobry, mam pytanie", "leczenie stwardnienia zanikowego bocznego",
        "jaka jest różnica między SM a SLA", "objawy sla",
    ],
    "tr": [
        "MS nedir", "MS hastası ne yapmalı", "ALS hastalığı nedir", "MS belirtileri nelerdir", "ALS tedavisi var mı",
        "babam ALS hastası", "MS kalıtsal mıdır?", "merhaba bir sorum var", "MS hastaları kaç yıl yaşar", "MS ile ALS arasındaki fark",
    ],
    "ar": [
        "ما هو التصلب المتعدد", "ما هي اعراض التصلب الجانبي الضموري", "هل مرض ALS وراثي", "والدي مصاب بالتصلب الجانبي",
        "كم يعيش مريض ALS", "هل يوجد علاج", "مرحبا", "شكرا لكم",
    ],
    "hi": [
        "एमएस क्या है", "ALS के लक्षण क्या हैं", "क्या MS ठीक हो सकता है", "मेरे पिता को ALS है", "इलाज बताइए", "नमस्ते",
        "MS kya hota hai", "ALS ka ilaj kya hai", "mujhe MS ke lakshan batao",
    ],
    "zh": [
        "什么是多发性硬化症", "渐冻症能治好吗", "MS是什么", "ALS 的早期症状", "我爸爸得了渐冻症", "多發性硬化症會遺傳嗎", "谢谢", "你好",
    ],
    "ru": [
        "что такое рассеянный склероз", "симптомы БАС", "БАС лечится?", "у мамы рассеянный склероз", "сколько живут с БАС",
        "MS это что", "передается ли БАС по наследству", "здравствуйте, есть вопрос",
    ],
    "uk": [
        "що таке розсіяний склероз", "симптоми БАС", "чи лікується БАС?", "у мами розсіяний склероз", "скільки живуть з БАС",
        "чи передається хвороба у спадок", "доброго дня, є питання",
    ],
    OTHER: [
        "多発性硬化症とは何ですか", "ALSの症状", "다발성 경화증이 뭐예요", "τι είναι η σκλήρυνση κατά πλάκας", "מהי טרשת נפוצה",
        "โรคเอแอลเอสคืออะไร", "jag har en fråga och är orolig", "hvad er sklerose og hvordan behandles det", "apa itu penyakit ALS dan bagaimana gejalanya",
        "ام اس چیست و چگونه درمان می‌شود", "ماہرین کیا کہتے ہیں، علاج کیا ہے",
    ],
}  # fmt: skip

ENGLISH = [
    "what is ms", "MS", "ALS", "als treatment", "ocrelizumab side effects", "lou gehrigs diease", "multipul sclerosis", "is riluzole worth it",
    "Hi", "symptoms", "dad has als", "my abuela has ALS what do I do", "my oma in Berlin has MS, how long do people live", "gilenya kesimpta tysabri",
    "natalizumab vs ocrelizumab", "Guillain-Barré or MS?", "Sjögren's and MS", "Charcot disease history", "what does sclerosis en plaques mean",
    "is the MRI done in die tube", "can i die from it", "was it ms or als", "war veterans and als", "does it hurt", "no", "si", "ya", "y tho",
    "amyotrophic lateral sclerosis", "primary lateral sclerosis pls", "Lhermitte sign", "Uhthoff phenomenon", "Babinski", "Devic disease",
    "my name is José and I have MS", "Señor doctor, what is MS?", "I live in São Paulo, is there an MS clinic", "Zürich trial of tofersen",
    "what's als in french", "how do you say MS in spanish", "café au lait spots and MS", "is there a cure", "help", "thx", "pls help me",
    "relapsing remitting", "vit d ms", "wats als", "wat is ms", "hw long do u live w als", "ms n pregnancy", "can u catch it", "als ice bucket",
    "kann you explain als", "mi mum has ms", "MND", "dmt list", "rebif avonex plegridy copaxone", "Novantrone", "Dr. Müller said I have CIS",
    "a la carte diet for ms?", "per os or iv", "dx rrms 2019", "El Escorial criteria", "stem cells in mexico", "hola, what is ms",
    "what are the stages of ALS, por favor", "TNFα and interferon-β", "β-interferon", "µg of vitamin D", "what is 多発 in MS", "my friend Иван has ALS",
    "icantbreathe", "whatisals", "k i l l  m e", "Is MS more common in Norwegen or in Italy", "du pre cello ms", "gracias! and what about ALS?",
    "do i need a hat in the sun", "an als patient", "me and my ms", "no no no", "over the hill", "am I in a relapse", "is it in the brain or on the brain",
]  # fmt: skip


def test_enough_of_each() -> None:
    assert sum(map(len, FOREIGN.values())) + len(ENGLISH) >= 150


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in FOREIGN.items() for text in texts])
def test_a_language_is_told(code: str, text: str) -> None:
    assert foreign(text) == code


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_english(text: str) -> None:
    assert foreign(text) is None
    assert foreign_alarm(text) is None


CRIES = {
    "es": ("no puedo respirar", "quiero morir", ["mi marido se ahoga", "mi madre no responde, está inconsciente", "tiene los labios morados", "ya no quiero vivir más", "voy a quitarme la vida", "piensa en suicidarse"]),
    "pt": ("não consigo respirar", "quero morrer", ["meu pai engasgou com a comida e não responde", "ela está inconsciente", "dor no peito", "não quero mais viver", "vou me matar", "penso em suicídio"]),
    "fr": ("je ne peux pas respirer", "je veux mourir", ["mon mari s'étouffe", "elle a perdu connaissance", "ses lèvres sont bleues", "je ne veux plus vivre", "je vais me tuer", "j'ai des idées suicidaires"]),
    "it": ("non riesco a respirare", "voglio morire", ["mio padre sta soffocando", "è svenuta e non risponde", "ha le labbra blu", "non voglio più vivere", "voglio farla finita", "penso al suicidio"]),
    "de": ("ich kann nicht atmen", "ich will sterben", ["mein Mann erstickt gerade", "sie ist bewusstlos", "seine Lippen sind blau", "ich will nicht mehr leben", "ich bringe mich um", "ich habe Selbstmordgedanken"]),
    "nl": ("ik kan niet ademen", "ik wil dood", ["mijn man stikt nu", "ze is bewusteloos", "zijn lippen zijn blauw", "ik wil niet meer leven", "ik maak er een einde aan", "hij denkt aan zelfmoord"]),
    "pl": ("nie mogę oddychać", "chcę umrzeć", ["mąż się dusi", "mama zemdlała i nie reaguje", "ma sine usta", "nie chcę już żyć", "zabiję się", "myślę o samobójstwie"]),
    "tr": ("nefes alamıyorum", "ölmek istiyorum", ["babam boğuluyor", "annem bayıldı, uyanmıyor", "dudakları morardı", "artık yaşamak istemiyorum", "kendimi öldüreceğim", "intihar etmeyi düşünüyorum"]),
    "ar": ("لا أستطيع التنفس", "أريد أن أموت", ["أبي يختنق", "أمي فاقدة للوعي", "شفتاه زرقاء", "لا أريد أن أعيش", "سأقتل نفسي", "أفكر في الانتحار"]),
    "hi": ("मैं साँस नहीं ले पा रहा हूँ", "मैं मरना चाहता हूँ", ["मेरे पिता का दम घुट रहा है", "माँ बेहोश है", "होंठ नीले हो गए हैं", "मैं जीना नहीं चाहती", "आत्महत्या करने का विचार आता है", "khud ko khatam karna hai"]),
    "zh": ("我无法呼吸", "我想死", ["爸爸噎住了", "妈妈昏迷了，叫不醒", "他嘴唇发紫", "不想活了", "我要自杀，结束自己的生命", "活着没有意思"]),
    "ru": ("я не могу дышать", "я хочу умереть", ["муж задыхается", "мама потеряла сознание", "у него губы синие", "не хочу больше жить", "я убью себя", "думаю о самоубийстве"]),
    "uk": ("я не можу дихати", "я хочу померти", ["чоловік задихається", "мама знепритомніла", "у нього губи сині", "не хочу більше жити", "я вб'ю себе", "думаю про самогубство"]),
}  # fmt: skip


@pytest.mark.parametrize("code", CRIES)
def test_cries_for_help_are_heard(code: str) -> None:
    danger, despair, more = CRIES[code]
    wanted = [
        (danger, "emergency"),
        (despair, "crisis"),
        *((t, "emergency") for t in more[:3]),
        *((t, "crisis") for t in more[3:]),
    ]
    for text, outcome in wanted:
        heard = foreign_alarm(text)
        assert heard is not None, text
        assert heard.outcome == outcome, text


def bare(text: str) -> str:
    text = text.replace("ı", "i").replace("ł", "l").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@pytest.mark.parametrize("code", ["es", "pt", "fr", "it", "de", "nl", "pl", "tr"])
def test_cries_are_heard_without_accents_and_in_capitals(code: str) -> None:
    danger, despair, more = CRIES[code]
    for text in (danger, despair, *more):
        if code != "de":  # ae, oe, ue: see below
            assert foreign_alarm(bare(text)) is not None, text
        assert foreign_alarm(text.upper()) is not None, text


@pytest.mark.parametrize(
    "text",
    [
        "¿la ELA causa asfixia?", "la depresión es común en la EM", "wie häufig ist Depression bei MS", "est-ce que la SLA fait mourir",
        "ist ALS tödlich", "de quoi meurt-on avec la SLA", "si muore di SLA?", "czy SLA jest śmiertelne", "ALS öldürür mü", "هل مرض ALS قاتل",
        "ALS से मौत कैसे होती है", "渐冻症患者最后怎么死的", "от БАС умирают?", "чи помирають від БАС",
    ],
)  # fmt: skip
def test_calm_questions_of_other_languages_are_calm(text: str) -> None:
    assert foreign(text) is not None
    assert foreign_alarm(text) is None


@pytest.mark.parametrize("code", [code for code in FOREIGN if code != OTHER])
def test_replies_are_whole(code: str) -> None:
    said = languages()[code]
    assert re.search(r"\d{3}", said.emergency_number)
    assert all(url.startswith("https://") for _, url in said.read_on)
    for outcome in ("crisis", "emergency"):
        reply = said.alarm(outcome)  # type: ignore[arg-type]
        numbers = [line for line in reply.splitlines()[1:] if re.search(r"\d{2,}", line)]
        assert numbers, (code, outcome)
        assert not re.search(r"\d{3}.*\n.*", reply.splitlines()[0]), "numbers stand on lines of their own"
        assert "\n\n" not in reply
    assert "findahelpline.com" in said.alarm("crisis")
    # The reply to a question is in the language it is for.
    assert foreign(said.only_english) == code


def test_other_languages_are_pointed_on_in_english() -> None:
    assert "112" in languages()[OTHER].answer


def test_time_grows_with_length_only() -> None:
    for text in ("ne peux pas " * 170, "х" * 2_000, "मरना चाहता " * 160, "想死" * 1_000):
        foreign(text)
        foreign_alarm(text)
