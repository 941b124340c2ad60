"""What no single part of a model can see: whether its parts fit together. One file a subject;
`whole` calls them all, `report` is what they share."""
