"""The graph of a workflow as data: its shape, what is wrong with it, what it asks for, how two of them differ.

Pure: nothing here reads a row or a setting, so that the same rules hold in a page, a tool, a command and a run.
"""
