"""How much it takes to paint so many portraits a day: simulated with the real scheduler.

`python -m deploy.capacity` asks and answers. Nothing here runs in production; no role imports it.
"""
