"""A sandbox Discord: the part of its REST API that the platform uses, over a real socket, with nobody behind it.

It keeps Discord's rules (permissions, the order of roles, rate limits, error codes), remembers what was done, and
fails on demand. Every answer bears the header `X-Discord-Sandbox`.
"""
