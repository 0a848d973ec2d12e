"""What is kept: conversations, votes, and what was asked. One way to open a database, to sweep it, to erase from it."""
