"""What the catalog hands out, one file a noun. Each read shows a viewer only what is there for them."""
