"""Domain package of billing: transactions and payouts."""
