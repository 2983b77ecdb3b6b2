"""The published contract: what each operation refuses, its examples, and what may not change."""
