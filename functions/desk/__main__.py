"""`python -m desk`: the command, where only the interpreter is known, as when `bindery preview` starts it."""

from desk.cli import main

main()
