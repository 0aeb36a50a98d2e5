"""What designers and photographers upload: quarantine, the check, and what is kept of a photo."""
