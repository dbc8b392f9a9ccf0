"""Signing in at other people's providers, for the remote servers they guard: discovery, our client, the flow, tokens.

What reads a provider's answer is liberal, for real ones are odd; what is sent is exact. Rows are touched in `flow` and
`registration` alone.
"""
