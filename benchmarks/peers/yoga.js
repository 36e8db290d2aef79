// GraphQL Yoga on Node's HTTP server, with its default caches for parsing and validation.
import { createServer } from "node:http";

import { createYoga } from "graphql-yoga";

import { makeContext } from "./reads.js";
import { schema } from "./schema.js";

const yoga = createYoga({ schema, context: makeContext, graphiql: false, landingPage: false, logging: "warn" });
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
