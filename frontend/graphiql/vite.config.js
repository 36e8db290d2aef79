import { defineConfig } from 'vite';

export default defineConfig({
  // The page itself is served at /graphql; everything it loads is under /graphiql/assets/.
  base: '/graphiql/',
  build: {
    // Inside the Python package, so that the wheel carries the page.
    outDir: '../../lms_graphql/static/graphiql',
    emptyOutDir: true,
    // Files, never data: addresses made by the build.
    assetsInlineLimit: 0,
    // Every browser that runs GraphiQL 5 knows modulepreload.
    modulePreload: { polyfill: false },
    // Monaco, the editor, is one big piece; it is loaded after the page is there.
    chunkSizeWarningLimit: 4000,
    // A hundred warnings about "use client", which means something to servers that render React alone.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
