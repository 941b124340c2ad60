"""`python -m flowsim`."""

from flowsim.show.cli import main

if __name__ == "__main__":
    main()
