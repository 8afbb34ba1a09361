import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NxTree } from './tree.js';

/** What we use of Prettier 2 and 3. */
interface Prettier {
  resolveConfig(path: string, options: { editorconfig: boolean }): Promise<object | null>;
  resolveConfigFile(path: string): Promise<string | null>;
  getFileInfo(path: string, options: { ignorePath: string }): Promise<{ readonly ignored: boolean }>;
  format(text: string, options: object): string | Promise<string>;
}

/**
 * Formats the JSON files that changed with the workspace's own Prettier, where it has one and a configuration for it; `NX_SKIP_FORMAT=true` turns it off. Otherwise
 * they stay as the engine edits them: in the indentation of the file.
 */
export async function formatChanges(tree: NxTree, env: NodeJS.ProcessEnv): Promise<void> {
  if (env.NX_SKIP_FORMAT === 'true') return;
  const changed = tree.listChanges().filter(({ path, type }) => type !== 'DELETE' && path.endsWith('.json'));
  if (changed.length === 0) return;
  const prettier = await loadPrettier(tree.root);
  if (prettier === undefined) return;
  for (const { path } of changed) {
    const absolute = join(tree.root, path);
    const info = await prettier.getFileInfo(absolute, { ignorePath: join(tree.root, '.prettierignore') });
    const text = tree.read(path, 'utf8');
    if (info.ignored || text === null || (await prettier.resolveConfigFile(absolute)) === null) continue;
    const options = await prettier.resolveConfig(absolute, { editorconfig: true });
    tree.write(path, await prettier.format(text, { ...options, filepath: absolute }));
  }
}

async function loadPrettier(root: string): Promise<Prettier | undefined> {
  let file: string;
  try {
    file = createRequire(join(root, 'package.json')).resolve('prettier');
  } catch {
    return undefined;
  }
  const loaded: Prettier & { readonly default?: Prettier } = await import(pathToFileURL(file).href);
  // Prettier 2 is CommonJS.
  return loaded.default ?? loaded;
}
