import type { TextFiles } from '../workspace/text-files.js';

/** Text files in memory, by path. */
export interface MemoryFiles extends TextFiles {
  readonly all: ReadonlyMap<string, string>;
  /** The JSON in a file without comments. */
  json(path: string): unknown;
}

export function memoryFiles(files: Readonly<Record<string, string | object>> = {}): MemoryFiles {
  const all = new Map(
    Object.entries(files).map(([path, content]): [string, string] => [
      path,
      typeof content === 'string' ? content : `${JSON.stringify(content, undefined, 2)}\n`,
    ]),
  );
  return {
    all,
    json: (path) => JSON.parse(all.get(path) ?? ''),
    read: (path) => all.get(path),
    write: (path, text) => void all.set(path, text),
    list: (dir) => {
      const base = dir === '' ? '' : `${dir}/`;
      const below = [...all.keys()].filter((path) => path.startsWith(base)).map((path) => path.slice(base.length));
      return [...new Set(below.map((path) => /^[^/]*\/?/.exec(path)?.[0] ?? ''))];
    },
  };
}
