"""The outside world behind the ports; the only home of client libraries and the file system."""
