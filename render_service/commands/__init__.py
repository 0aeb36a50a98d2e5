"""What the commands do, one module each, without a server; `cli` reads their arguments.

Each works through the same library as the server, and writes a file whole or not at all.
"""
