"""Members of staff: what their sessions say, what their pages are made of, and what they did."""
