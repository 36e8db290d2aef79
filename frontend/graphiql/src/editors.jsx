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
  const operations = documentAST.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  return { documentAST, operations, operationName: operations[0].name.value };
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

/** Sets the variables of the default tab when the editor exists, because GraphiQL shows only its query. */
export function DefaultVariables() {
  const { variableEditor, tabs, activeTabIndex } = useGraphiQL(pick('variableEditor', 'tabs', 'activeTabIndex'));
  useEffect(() => {
    const { variables } = tabs[activeTabIndex];
    if (variableEditor && variables && !variableEditor.getValue()) variableEditor.setValue(variables);
  }, [variableEditor]);
  return null;
}
