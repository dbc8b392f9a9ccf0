"""What runs a workflow: durable, one step a transaction, so that a run survives whatever ends its worker."""
