"""PDFs of receipts and payout statements."""
