"""What a client may say, and take back."""
