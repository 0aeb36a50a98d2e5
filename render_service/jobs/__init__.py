"""Background work: what is ordered, who does it, and what came of it; no queue, no SQL, no HTTP."""
