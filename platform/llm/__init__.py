"""The models that agents think with: providers an organization configured, one way to ask all of them, what it costs.

The library that speaks with providers is known here and nowhere else; it is loaded when a model is first asked.
"""
