"""How well and how fast: evaluation on the hold-out, and measurements side by side with a stock peer."""
