"""`python -m flowsim`."""

from flowsim.show.cli import main

main()
