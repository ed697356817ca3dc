"""`python -m suitup`: the command line without its script."""

from suitup.cli import main

main()
