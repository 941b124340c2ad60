"""What people look at: the command line, figures and sentences.
Everything here uses only names that `flowsim` exports."""
