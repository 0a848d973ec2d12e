"""What the speed benchmarks ask: short and long, on many topics, six messages to a conversation.

Written for them alone; neither training data nor hold-out.
"""

SIX = 6

MESSAGES = (
    "hi there",
    "What is multiple sclerosis?",
    "and ALS?",
    "how are the two different from each other",
    "tell me more",
    "thanks",
    # how it is found
    "How do doctors find out that someone has MS?",
    "does it take an MRI",
    "what about ALS",
    "which tests are done for both diseases",
    "where is that from",
    "what else could it be mistaken for",
    # first signs
    "early signs ms",
    "My aunt was told last week that she has motor neurone disease. What were her first symptoms likely to be?",
    "can als cause numbness",
    "does MS cause blurred vision?",
    "is it the same for women and men",
    "when should someone see a doctor",
    # treatment
    "als treatment",
    "what does riluzole do",
    "is there anything besides riluzole?",
    "ocrelizumab side effects",
    "which drugs are there for relapsing ms",
    "is there a cure yet",
    # why
    "what causes multiple sclerosis",
    "is MS inherited or not",
    "Can you catch ALS from another person?",
    "does smoking raise the risk of ms",
    "why",
    "say it more simply",
    # outlook
    "how long do people live with als",
    "and with ms?",
    "is lou gehrigs diease always fatal",
    "how fast does ALS get worse, and is there a way to slow it down?",
    "which is worse",
    "are you sure?",
    # living with it
    "diet and exercise with MS",
    "heat makes it worse, why is that",
    "bladder problems in multiple sclerosis",
    "I look after my husband, he has ALS and I hardly sleep. What help is there for carers?",
    "wheelchair or walking aids for ms",
    "does als affect thinking and memory",
    # body
    "myelin",
    "what is a lesion",
    "is ALS an autoimmune disease?",
    "swallowing and speech in motor neuron disease",
    "does als hurt",
    "fatigue in ms and what helps against it",
    # people and names
    "why is it called lou gehrig's disease",
    "Stephen Hawking",
    "how many people have ms in the world",
    "types of multiple sclerosis",
    "what does secondary progressive mean",
    "ice bucket challenge",
    # where knowledge ends
    "what is the weather in Paris tomorrow",
    "symptoms of lupus",
    "is my tingling hand a sign of ms",
    "new research on stem cells",
    "can I get vaccinated when I have MS and is it safe to become pregnant later?",
    "bye",
)

#: One turn after the other of a long conversation; the five take turns.
LONG_TALK = (
    "how is ms diagnosed",
    "and als?",
    "what are the first symptoms of ALS",
    "is there a cure for MS",
    "does als affect the bladder",
)
