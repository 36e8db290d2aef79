// What caches need to know of the schema. An app generates it when it is built, as GraphQL Code Generator does.
import { readFileSync } from 'node:fs';
import { buildSchema, getNamedType, introspectionFromSchema, isAbstractType, isObjectType } from 'graphql';

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
const objects = types.filter(isObjectType);
const PAGING = new Set(['first', 'after', 'last', 'before']);

/** The types behind each interface, by its name: Apollo's `possibleTypes`. */
export const possibleTypes = Object.fromEntries(
  types.filter(isAbstractType).map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
);

/** Names of types without an id, which are stored as parts of other objects. */
export const typesWithoutId = objects.filter((type) => !type.getFields().id).map(({ name }) => name);

/** Fields with pages: `{type, field, filters}`. Lists with other filters are other lists. */
export const connections = objects.flatMap((type) =>
  Object.values(type.getFields())
    .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
    .map(({ name, args }) => ({
      type: type.name,
      field: name,
      filters: args.map((argument) => argument.name).filter((argument) => !PAGING.has(argument)),
    })),
);

/** Result of an introspection, which makes graphcache aware of the schema. */
export const introspection = introspectionFromSchema(schema, { descriptions: false });
