import { useState } from 'react';
import { pick, ToolbarButton, useGraphiQL } from '@graphiql/react';
import { linkTo } from './link.js';

const LABEL = 'Share: copy a link to this document and its variables';

/** A button that copies a link. The link opens the document in GraphiQL and does not run it. */
export function ShareButton() {
  const { queryEditor, variableEditor, operations, operationName } = useGraphiQL(
    pick('queryEditor', 'variableEditor', 'operations', 'operationName'),
  );
  const [label, setLabel] = useState(LABEL);

  async function share() {
    const link = linkTo(
      {
        query: queryEditor.getValue(),
        variables: variableEditor?.getValue(),
        operationName: operations?.length > 1 ? operationName : '',
      },
      location.origin + location.pathname,
    );
    // Browsers have a clipboard only for https and localhost.
    if (navigator.clipboard) await navigator.clipboard.writeText(link);
    else window.prompt('Copy this link', link);
    return 'The link was copied.';
  }

  return (
    <ToolbarButton
      label={label}
      onClick={() => share().catch((error) => error.message).then(setLabel)}
      onPointerLeave={() => setLabel(LABEL)}
      onBlur={() => setLabel(LABEL)}
    >
      <Icon className="graphiql-toolbar-icon" aria-hidden="true" />
    </ToolbarButton>
  );
}

/** Two links of a chain, in the style of GraphiQL's own icons. */
function Icon(props) {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" {...props}>
      <path d="M10 14a4.5 4.5 0 0 0 6.5 0l3-3A4.6 4.6 0 0 0 13 4.5l-1.5 1.5" />
      <path d="M14 10a4.5 4.5 0 0 0-6.5 0l-3 3a4.6 4.6 0 0 0 6.5 6.5l1.5-1.5" />
    </svg>
  );
}
