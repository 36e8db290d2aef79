"""Learning in the schema. Rows of `reads` serve as these objects."""
