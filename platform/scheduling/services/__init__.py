"""What can be done with schedules of every kind."""
