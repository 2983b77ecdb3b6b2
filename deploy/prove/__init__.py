"""`make prove`: a canary person lives on the embedded stack and leaves, and nothing stays."""
