"""Drawings of deploy/docs/architecture.md, made from the code: `python -m deploy.drawings`.

A test makes them again and compares, so that none of them shows what is not there any more.
"""
