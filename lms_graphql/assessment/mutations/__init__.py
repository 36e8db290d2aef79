"""GraphQL mutations of assessment: lectures, which may have a quiz."""
