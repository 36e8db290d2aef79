"""Services of assessment: the work of each function is one transaction."""
