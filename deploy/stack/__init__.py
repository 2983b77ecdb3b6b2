"""The embedded stack: PostgreSQL, Valkey, an S3 server and every role under one supervisor.

It is for trying, developing and testing on one machine. It refuses production: one machine, one
uid and self-made passwords are none of the walls that a deployment needs.
Nothing is imported here, so that a worker can load `deploy.stack.announce` at no cost.
"""
