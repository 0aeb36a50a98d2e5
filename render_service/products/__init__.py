"""What is sold: products, their configurations, prices, SKUs and quotes. Pure: no I/O, no clock."""
