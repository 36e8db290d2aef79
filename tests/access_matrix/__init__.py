"""
The path oracle: every field of every type, on every way to it, for everyone who might ask, against one table.

`table` says who may read a field, `planting` plants an object of each kind in each state that changes who sees it,
`arguments` and `mutating` say what fields and mutations are asked with, `paths` makes documents of the schema and
`judging` holds the answers against the table. A new type needs its lines in `table`, its objects in `planting`, and
values for whatever arguments are new; the tests say what is missing.
"""
