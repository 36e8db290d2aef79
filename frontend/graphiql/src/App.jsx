import { GraphiQL } from 'graphiql';
import './graphiql.css';
import { asTab, DefaultVariables } from './editors.jsx';
import { EXAMPLES } from './examples.js';
import { fetcher } from './fetcher.js';
import { plugins } from './plugins.js';
import { storage } from './storage.js';
import { WhoAmI } from './WhoAmI.jsx';

// Shown at the first visit. Later GraphiQL restores the open tabs.
const FIRST_TAB = asTab(EXAMPLES[0]);
const HINT = `# The pink button runs this query.
# For more queries, open “Examples” on the left.
`;

export function App() {
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      plugins={plugins}
      defaultTabs={[{ ...FIRST_TAB, query: HINT + FIRST_TAB.query }]}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled
      // Headers contain access tokens, which must not be written to the browser's storage.
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <WhoAmI />
        LMS GraphQL
      </GraphiQL.Logo>
      <DefaultVariables />
    </GraphiQL>
  );
}
