"""The peer of the `api` suite: what anybody would write with REST framework, on the same tables.

Model serializers, token authentication, default middleware, gunicorn's threads, a connection kept
open; each choice is the one of its documentation, or kinder to it.
"""
