"""Parsing in a process of its own: what a file does to its parser stays there.

``server`` is a small process without the function's environment that has the parsers loaded; it forks one child for
each document. ``confinement`` is what the child gives up before it reads a byte. ``client`` is the function's side:
``fork_server`` has the processes, ``messages`` what a child may say, ``losses`` how it can be lost, and ``reading``
goes on with another child behind the part that one was lost in.
"""
