"""The pages of accounts: thin doors over the services."""
