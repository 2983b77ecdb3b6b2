"""`manage.py doctor`: what is set up wrongly, in one sentence each, and what to do about it.

It looks and changes nothing. It prints names of settings, files, logins and rules, never their
values, and nothing of a person. What its role may not look at, it says.
"""
