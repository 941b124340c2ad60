"""What runs: a compiled network, its random numbers, and the two engines (SimPy and numba)
that carry the same patients through it, event for event."""
