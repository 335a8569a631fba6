"""What a dump and its restore keep."""

DEFENCES = []
