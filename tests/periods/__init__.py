"""Beats, slots, and who watches that they go on."""
