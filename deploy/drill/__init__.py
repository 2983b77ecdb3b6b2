"""`manage.py restore_drill`: a database is lost, a backup comes back, and nobody with it who left.

It is a rehearsal on an embedded stack of its own, with people who do not exist; it touches no other
installation.
"""
