"""What is paid: transactions and payouts."""
