// The documents of the pages, one for each operation, as a bundler's loader for .graphql files makes them.
import { readFileSync, readdirSync } from 'node:fs';
import { concatAST, parse, separateOperations } from 'graphql';

const folder = new URL('./documents/', import.meta.url);
const files = readdirSync(folder).map((name) => parse(readFileSync(new URL(name, folder), 'utf8')));

/** Operations by name, each with the fragments that it uses. */
export const documents = separateOperations(concatAST(files));
