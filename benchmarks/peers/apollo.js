// Apollo Server with its standalone HTTP server, which costs least: Express would add to it.
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";

import { makeContext } from "./reads.js";
import { schema } from "./schema.js";

const server = new ApolloServer({ schema, introspection: false });
await startStandaloneServer(server, {
  context: async () => makeContext(),
  listen: { host: "127.0.0.1", port: Number(process.env.PORT), path: "/graphql" },
});
