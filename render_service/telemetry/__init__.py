"""To be seen: counts, spans and log lines of the service, and the names of all of them.

The lowest layer: any layer may record, none is asked anything, and nothing recorded can fail or
slow a request. Labels of counts are bounded by construction: none is a URL, a key, a composition,
an option or a user.
"""
