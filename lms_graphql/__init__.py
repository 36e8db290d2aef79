"""A learning platform's back end as one GraphQL API."""
