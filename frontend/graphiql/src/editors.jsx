import { Kind, parse } from 'graphql';
import { useEffect } from 'react';
import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';

/** An example as the texts that GraphiQL's editors hold. */
export function asTab({ query, variables, headers }) {
  return { query, variables: asText(variables), headers: asText(headers) };
}

function asText(value) {
  return value && JSON.stringify(value, null, 2);
}

function factsOf(query) {
  const documentAST = parse(query);
  const operations = documentAST.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  return { documentAST, operations, operationName: operations[0].name.value };
}

/** A function that opens an example in a tab of its own. */
export function useOpenExample() {
  const { addTab, setOperationFacts } = useGraphiQLActions();
  const { queryEditor, variableEditor, headerEditor } = useGraphiQL(
    pick('queryEditor', 'variableEditor', 'headerEditor'),
  );
  return (example) => {
    const tab = asTab(example);
    addTab(); // empties the editors; what is then put into them becomes the new tab's
    queryEditor?.setValue(tab.query);
    variableEditor?.setValue(tab.variables ?? '');
    if (tab.headers) headerEditor?.setValue(tab.headers);
    setOperationFacts(factsOf(tab.query)); // GraphiQL reads them off a moment later: too late for who runs it at once
  };
}

/** GraphiQL shows the query of a default tab but forgets its variables: puts them in, once the editor is there. */
export function DefaultVariables() {
  const { variableEditor, tabs, activeTabIndex } = useGraphiQL(pick('variableEditor', 'tabs', 'activeTabIndex'));
  useEffect(() => {
    const { variables } = tabs[activeTabIndex];
    if (variableEditor && variables && !variableEditor.getValue()) variableEditor.setValue(variables);
  }, [variableEditor]);
  return null;
}
