"""PDF of a certificate."""
