"""`python -m bindery` is the command `bindery`."""

from bindery.cli import run

run()
