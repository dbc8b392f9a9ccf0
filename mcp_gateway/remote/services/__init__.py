"""What can be done with remote servers: verbs that take a caller, check, act in one transaction and leave an entry."""
