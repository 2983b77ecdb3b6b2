"""Every dependency by version and hash; what is installed where."""
