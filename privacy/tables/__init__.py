"""The entries of the inventory, a module a room. Pure data; `privacy/inventory.py` is the door."""
