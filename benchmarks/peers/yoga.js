// GraphQL Yoga on Node's HTTP server, with the parser's and the validation's cache that it has by default.
import { createServer } from "node:http";

import { createYoga } from "graphql-yoga";

import { makeContext } from "./reads.js";
import { schema } from "./schema.js";

const yoga = createYoga({ schema, context: makeContext, graphiql: false, landingPage: false, logging: "warn" });
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
