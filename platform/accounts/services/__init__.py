"""What can be done with accounts: one module a subject, one function a verb."""
