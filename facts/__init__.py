"""What is true: records a clinician can read, their schema, and the store built from them."""
