"""The Strawberry toolbox: context, loaders, edges, connections, limits. No domain."""
