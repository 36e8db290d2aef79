"""The cellar: database, clock, money, ids, paging. No domain, no GraphQL."""
