"""The admin as a whole: who may do what in it, how staff come in, what is where."""
