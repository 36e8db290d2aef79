// Monaco's web workers as files of our own origin: a strict `worker-src 'self'` is enough.
import 'graphiql/setup-workers/vite';
import { createRoot } from 'react-dom/client';
import { App } from './App.jsx';

createRoot(document.getElementById('root')).render(<App />);
