"""What a product looks like: definitions, materials, configurations. Pure: no I/O."""
