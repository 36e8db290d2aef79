"""
The path oracle: every field of every type, on every way to it, for everyone who might ask, against one table.

`table` says who may read a field, `world` plants an object of each kind in each state that changes who sees it,
`arguments` says what fields and mutations are asked with, `paths` makes documents of the schema and `judging` holds
the answers against the table. A new type needs its lines in `table` and its objects in `world`, and whatever new
arguments there are; the tests say what is missing.
"""
