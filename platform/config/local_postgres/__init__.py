"""The database backend where DATABASE_URL is not set: Django's own, which starts the local server when needed."""
