"""What is claimed about speed, as programs anyone can run."""
