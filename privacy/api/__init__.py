"""The privacy API, a module a subject: each view parses, makes one domain call and answers."""
