import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { examplesPlugin } from './ExamplesPlugin.jsx';
import { signInPlugin } from './SignInPlugin.jsx';

/**
 * The sidebar below the documentation, from top to bottom. A plugin is `{title, icon, content}`: two components and
 * a unique title.
 */
export const plugins = [signInPlugin, examplesPlugin, explorerPlugin(), HISTORY_PLUGIN];
