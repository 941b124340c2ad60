"""What a person writes: the model language, read strictly and kept with its sources.

Nothing here knows how a model is run."""
