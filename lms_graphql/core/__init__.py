"""Foundation without domain and GraphQL: database, actor, clock, money, ids, pagination."""
