"""The chat in the dashboard: conversations, their messages, and answers as they come."""
