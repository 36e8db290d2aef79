import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { examplesPlugin } from './ExamplesPlugin.jsx';

/**
 * The sidebar below the documentation, from top to bottom. A plugin is `{title, icon, content}`: two components and
 * a unique title. Signing in gets one of its own, first in this list.
 */
export const plugins = [examplesPlugin, explorerPlugin(), HISTORY_PLUGIN];
