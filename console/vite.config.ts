import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** `npm run build` makes `dist/console`, which the admin listener serves at /console. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  logLevel: 'warn',
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // The content security policy allows no data: URL and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Their texts have to be where copies of the packages are.
    license: { fileName: 'licenses.md' },
  },
})
