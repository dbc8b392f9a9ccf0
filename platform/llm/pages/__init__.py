"""The pages of models, under Control Hub > Models."""
