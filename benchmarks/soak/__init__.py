"""The soak: does a server that has run for long hold as much as it did when it was warm?"""
