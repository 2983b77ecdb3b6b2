"""What Prometheus is told: numbers of the installation, computed from PostgreSQL when asked."""
