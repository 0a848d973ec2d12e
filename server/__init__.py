"""How the assistant starts: launcher, actions in-process, what is bent in Rasa, settings."""
