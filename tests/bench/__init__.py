"""Benchmarks: each prints its conditions, keeps its raw numbers and stores its figures."""
