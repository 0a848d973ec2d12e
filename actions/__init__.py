"""What to say. Only `actions.actions` imports `rasa_sdk`; the rest is plain Python over the fact store."""
