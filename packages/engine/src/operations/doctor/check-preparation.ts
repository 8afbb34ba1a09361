import { ROOT, tryParseRelPath } from '../../model/path.js';
import { CONFIG_FILE } from '../../workspace/config.js';
import { missingIgnoreLine, withLines } from '../../workspace/gitignore.js';
import type { TextFiles } from '../../workspace/text-files.js';
import { initWorkspace } from '../init.js';
import type { Diagnosis, Patient } from './finding.js';

const MESSAGES: Readonly<Record<string, Pick<Diagnosis, 'level' | 'message' | 'fix'>>> = {
  [CONFIG_FILE]: {
    level: 'note',
    message: 'is not there, so everything is as it is by default',
    fix: 'Write one (`sluice init`).',
  },
  '.gitignore': {
    level: 'problem',
    message: 'does not name the store and sluice.local.json, which belong to one machine',
    fix: 'Add /.sluice/ and /sluice.local.json to it.',
  },
  '.gitattributes': {
    level: 'note',
    message: 'does not say how locks are merged, so git merges their lines',
    fix: 'Add sluice-lock.json merge=sluice-lock to it.',
  },
  '.nxignore': {
    level: 'problem',
    message: 'does not name the store, so that Nx may read all of it',
    fix: 'Add .sluice/ to it.',
  },
  'nx.json': {
    level: 'problem',
    message: 'does not load the plugin @sluice/nx, so Nx knows neither the order of stages nor what they read',
    fix: 'Add "@sluice/nx" to "plugins".',
  },
};

/** Finds what `init` would add: the same code plans it on files that are not written. Throws like `initWorkspace`. */
export function checkPreparation({ root, files }: Pick<Patient, 'root' | 'files'>): Diagnosis[] {
  const planned = new Map<string, string>();
  const overlay: TextFiles = {
    list: files.list,
    read: (path) => planned.get(path) ?? files.read(path),
    write: (path, text) => void planned.set(path, text),
  };
  initWorkspace(root, overlay, {});
  return [...planned].flatMap(([path, text]) => {
    const said = MESSAGES[path];
    if (said === undefined) return [];
    return [{ check: 'preparation', subject: path, ...said, repair: () => files.write(path, text) }];
  });
}

/** Finds a store that lies in the workspace under another name, where git and Nx see it. */
export function checkStorePlace({ root, files, config }: Patient): Diagnosis[] {
  const store = config.store.startsWith(`${root}/`) ? tryParseRelPath(config.store.slice(root.length + 1)) : undefined;
  if (store === undefined || store === '.sluice') return [];
  const missing = missingIgnoreLine(files.read, ROOT, store);
  if (missing === undefined) return [];
  return [
    {
      check: 'preparation',
      level: 'problem',
      subject: store,
      message: 'is the store, and neither git nor Nx is told to leave it alone',
      fix: `Add ${missing.line} to .gitignore and .nxignore.`,
      repair: () => {
        for (const name of ['.gitignore', '.nxignore']) {
          files.write(name, withLines(files.read(name) ?? '', [missing.line]));
        }
      },
    },
  ];
}
