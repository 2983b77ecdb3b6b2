"""Clients that a generator writes from the committed contract, and what is tried with them."""
