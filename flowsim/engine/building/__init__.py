"""A model becomes a Network: the only files of the engine that know the schema, one a subject.
`compile_network` is what the other floors call."""

from flowsim.engine.building.compiling import compile_network

__all__ = ["compile_network"]
