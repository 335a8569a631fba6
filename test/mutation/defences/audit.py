"""The audit: who may write it, what seals it."""

DEFENCES = []
