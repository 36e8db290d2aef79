import { useOpenExample } from './editors.jsx';
import { EXAMPLES } from './examples.js';
import './examples.css';

/** A sidebar pane with queries to start from; a click opens one in a new tab. */
export const examplesPlugin = { title: 'Examples', icon: Icon, content: Examples };

function Examples() {
  const open = useOpenExample();
  return (
    <section aria-labelledby="examples-title">
      <h2 id="examples-title" className="pane-title">Examples</h2>
      <ul className="examples">
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button type="button" className="graphiql-un-styled example" onClick={() => open(example)}>
              <strong>{example.title}</strong>
              <span>{example.about}</span>
              {example.viewer && <span>Sign in as {example.viewer}.</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** An open book, in the style of GraphiQL's own icons. */
function Icon(props) {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" {...props}>
      <path d="M12 6.5C10 5 7 4.5 3 4.5v14c4 0 7 .5 9 2 2-1.5 5-2 9-2v-14c-4 0-7 .5-9 2zm0 0v14" />
    </svg>
  );
}
