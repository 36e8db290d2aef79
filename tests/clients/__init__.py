"""Front ends: the pages of a learning platform, written with Apollo Client, urql and Relay."""
