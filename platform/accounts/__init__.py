"""People, their organizations, plans and keys; and `Caller`, who every service is asked by."""
