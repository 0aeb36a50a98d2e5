"""Who calls, and what they may do. Knows no HTTP and no database."""
