"""What `make` runs; nothing here is imported by the service or shipped with it."""
