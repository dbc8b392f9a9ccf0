"""The AI task: a model with instructions, the actions it is given, and a way on from here when it is done."""
