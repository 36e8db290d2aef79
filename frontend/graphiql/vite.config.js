import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { defineConfig } from 'vite';

// Writes compressed copies beside the assets, which the service sends to browsers that accept them.
const compressAssets = {
  name: 'compress-assets',
  async writeBundle({ dir }, bundle) {
    const names = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
    await Promise.all(
      names.map(async (name) => {
        const file = path.join(dir, name);
        const content = await readFile(file);
        await writeFile(`${file}.br`, await promisify(brotliCompress)(content));
        await writeFile(`${file}.gz`, await promisify(gzip)(content));
      }),
    );
  },
};

export default defineConfig({
  // The page itself is served at /graphql; everything it loads is under /graphiql/assets/.
  base: '/graphiql/',
  plugins: [compressAssets],
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
