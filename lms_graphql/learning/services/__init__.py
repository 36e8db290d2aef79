"""Services of learning: the rules that write."""
