"""
Access matrix: every field of every type, on every path to it, for every kind of viewer, against one table.

- `matrix`: who may read each field.
- `fixtures`: rows of each type in each state that changes who sees them. Their texts are markers, by which a leak is
  recognized.
- `arguments`, `mutations`: arguments of fields and inputs of mutations.
- `paths`: documents for all paths through the schema.
- `runner`, `checker`: send the documents and compare the responses with the matrix.

A new type needs its fields in `matrix` and its rows in `fixtures`. A new argument needs its values in `arguments`.
The tests say what is missing.
"""
