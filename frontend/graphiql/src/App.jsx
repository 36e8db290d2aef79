import { GraphiQL } from 'graphiql';
import './graphiql.css';
import { ActiveTabInView, asTab, SelectedOperation } from './editors.jsx';
import { EXAMPLES } from './examples.js';
import { fetcher } from './fetcher.js';
import { linkedDocument } from './link.js';
import { plugins } from './plugins.js';
import { ShareButton } from './ShareButton.jsx';
import { activeTab, storage } from './storage.js';
import { WhoAmI } from './WhoAmI.jsx';

const HINT = `# The pink button runs this query.
# For more queries, open “Examples” on the left.
`;

const linked = linkedDocument(location.href);
if (linked) history.replaceState(null, '', location.pathname); // a reload restores the tabs instead

/** The tab that is opened with the page. Without it GraphiQL restores the tabs of the last visit. */
const opened = linked ?? (activeTab() ? null : firstTab());

function firstTab() {
  const tab = asTab(EXAMPLES[0]);
  return { ...tab, query: HINT + tab.query };
}

export function App() {
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      plugins={plugins}
      // Both are needed: the editors show the initial texts, and at a first visit the tab has the default ones.
      initialQuery={opened?.query}
      initialVariables={opened?.variables}
      defaultTabs={[opened ?? firstTab()]}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled
      // Headers contain access tokens, which must not be written to the browser's storage.
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <WhoAmI />
        <span className="page-name">LMS GraphQL</span>
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            {prettify}
            {merge}
            {copy}
            <ShareButton />
          </>
        )}
      </GraphiQL.Toolbar>
      <SelectedOperation name={linked?.operationName} />
      <ActiveTabInView />
    </GraphiQL>
  );
}
