// GraphQL Yoga with graphql-jit, which compiles each document to JavaScript once.
import { createServer } from "node:http";

import { useGraphQlJit } from "@envelop/graphql-jit";
import { createYoga } from "graphql-yoga";

import { makeContext } from "./reads.js";
import { schema } from "./schema.js";

const yoga = createYoga({
  schema,
  context: makeContext,
  plugins: [useGraphQlJit()],
  graphiql: false,
  landingPage: false,
  logging: "warn",
});
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
