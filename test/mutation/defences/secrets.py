"""Keys and secrets at rest."""

DEFENCES = []
