"""GraphQL toolbox on Strawberry: context, documents, limits, execution, HTTP and schema. It has no domain code."""
