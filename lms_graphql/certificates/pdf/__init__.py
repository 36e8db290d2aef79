"""The picture of a certificate."""
