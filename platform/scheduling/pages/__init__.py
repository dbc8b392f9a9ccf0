"""The pages of schedules, under Control Hub > Schedules."""
