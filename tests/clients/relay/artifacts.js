// In an app, babel-plugin-relay replaces each graphql`…` by the artifact that Relay's compiler has made of it. Here
// this tag does the same when the module is loaded. The test names the folder with the artifacts.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { artifacts } from '../service.js';

const require = createRequire(import.meta.url);

export function graphql([text]) {
  const [, name] = /(?:query|mutation|fragment)\s+(\w+)/.exec(text);
  return require(join(artifacts, `${name}.graphql.js`));
}
