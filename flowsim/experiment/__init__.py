"""Many runs: scenarios times replications, run side by side, and results that survive a kill.

Imports nothing by itself.
"""
