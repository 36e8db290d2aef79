import { Kind, parse } from 'graphql';
import { useEffect } from 'react';
import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';

/** Returns an example as the texts of GraphiQL's editors. */
export function asTab({ query, variables, headers }) {
  return { query, variables: asText(variables), headers: asText(headers) };
}

function asText(value) {
  return value && JSON.stringify(value, null, 2);
}

function factsOf(query) {
  const documentAST = parse(query);
  const operations = operationsIn(documentAST);
  return { documentAST, operations, operationName: operations[0].name.value };
}

function operationsIn({ definitions }) {
  return definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
}

/** Returns the operations of a text; none if it is no valid document. */
function operationsOf(text) {
  try {
    return operationsIn(parse(text));
  } catch {
    return [];
  }
}

/** Returns a function that opens an example in a new tab. */
export function useOpenExample() {
  const { addTab, setOperationFacts } = useGraphiQLActions();
  const { queryEditor, variableEditor, headerEditor } = useGraphiQL(
    pick('queryEditor', 'variableEditor', 'headerEditor'),
  );
  return (example) => {
    const tab = asTab(example);
    addTab(); // empties the editors; texts set after this belong to the new tab
    queryEditor?.setValue(tab.query);
    variableEditor?.setValue(tab.variables ?? '');
    if (tab.headers) headerEditor?.setValue(tab.headers);
    setOperationFacts(factsOf(tab.query)); // GraphiQL parses them a moment later: too late for a click on Run
  };
}

/** Selects the operation that a link names, if its document has several. */
export function SelectedOperation({ name }) {
  const { setOperationName } = useGraphiQLActions();
  const queryEditor = useGraphiQL(({ queryEditor }) => queryEditor);
  useEffect(() => {
    const found = queryEditor && name && operationsOf(queryEditor.getValue()).find((node) => node.name?.value === name);
    if (!found) return;
    // The keys for “Run” take the operation at the cursor.
    queryEditor.setPosition({ lineNumber: found.loc.startToken.line, column: found.loc.startToken.column });
    queryEditor.revealLine(found.loc.startToken.line);
    setOperationName(name);
  }, [queryEditor]);
  return null;
}

/** Scrolls the active tab into view if there are more tabs than the page is wide. */
export function ActiveTabInView() {
  const { tabs, activeTabIndex } = useGraphiQL(pick('tabs', 'activeTabIndex'));
  useEffect(() => {
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [tabs.length, activeTabIndex, tabs[activeTabIndex]?.title]);
  return null;
}
