"""Traffic: who asks this service for what, and what must hold of every answer; docs/loadtests.md.

What is pure here (shoppers, devices, products, attacks, shapes, invariants) imports no Locust, so
that benchmarks and tests use it as well.
"""
