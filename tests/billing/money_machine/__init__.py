"""A model of purchases, refunds, disputes and payouts, for random sequences of requests and faults."""
