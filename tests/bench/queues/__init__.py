"""No-op jobs through other queue libraries, each at its defaults for at-least-once delivery."""
