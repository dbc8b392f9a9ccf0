"""What keeps the platform safe and knows of no product: secrets at rest, redaction, audit, addresses, limits."""
