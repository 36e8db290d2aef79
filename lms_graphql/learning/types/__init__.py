"""GraphQL types of learning. Rows of `reads` serve as these objects."""
