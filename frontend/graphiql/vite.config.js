import { defineConfig } from 'vite';

export default defineConfig({
  // The page itself is served at /graphql; everything it loads is under /graphiql/assets/.
  base: '/graphiql/',
  build: {
    // Inside the Python package, so that the wheel contains the page.
    outDir: '../../lms_graphql/static/graphiql',
    emptyOutDir: true,
    // Files, never data: URLs.
    assetsInlineLimit: 0,
    // Every browser that runs GraphiQL 5 knows modulepreload.
    modulePreload: { polyfill: false },
    // Monaco, the editor, is one large chunk; it is loaded after the page.
    chunkSizeWarningLimit: 4000,
    // Drops a hundred warnings about "use client", which only matters to servers that render React.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
