"""The GraphQL explorer: GraphiQL with its own sign-in, served from files inside the package."""
