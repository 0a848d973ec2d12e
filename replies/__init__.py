"""How every reply is finished: sources, review date and disclaimer, on every channel."""
