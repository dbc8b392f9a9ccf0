"""The pages of remote servers, under Control Hub > Integrations."""
