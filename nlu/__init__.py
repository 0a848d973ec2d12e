"""What was asked: the assistant's Rasa NLU components."""
