import { createRequire } from 'node:module';

/** The version of this package; `@sluice/cli` has the same. */
export function ownVersion(): string {
  const manifest: { readonly version: string } = createRequire(import.meta.url)('../../package.json');
  return manifest.version;
}
