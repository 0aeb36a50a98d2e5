"""The driver of background work: takes jobs from the queue, and does each exactly once."""
