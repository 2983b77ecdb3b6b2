"""What the metrics tell, and what the alerts make of it."""
