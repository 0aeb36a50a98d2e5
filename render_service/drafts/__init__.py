"""Drafts: compositions that are being worked on, until one is published or forgotten. No HTTP."""
