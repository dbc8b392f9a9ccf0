"""Webhooks: events signed and posted to where organizations asked for them, until they are taken or given up."""
