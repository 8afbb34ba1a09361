import { SluiceError } from '../errors.js';
import { setInJsonc, sortedKey } from '../util/edit-jsonc.js';
import { parseJsonc } from '../util/jsonc.js';
import { CONFIG_FILE, LOCAL_CONFIG_FILE } from '../workspace/config.js';
import { parseConfigFile } from '../workspace/config-file.js';
import { withLines } from '../workspace/gitignore.js';
import { isObject } from '../workspace/merge-target.js';
import type { TextFiles } from '../workspace/text-files.js';
import { addRemote } from '../workspace/write-config.js';
import { ATTRIBUTES_LINE } from './git-setup.js';
import type { InitReport } from './reports.js';

/** How locks are merged, and what git and Nx must not look at. Nx reads every file that is not ignored whole into memory. */
const LINES = {
  '.gitattributes': [ATTRIBUTES_LINE],
  '.gitignore': ['/.sluice/', `/${LOCAL_CONFIG_FILE}`],
  '.nxignore': ['.sluice/'],
} as const;

/** Explains every setting in an editor; JSON itself has no comments. */
const CONFIG_SCHEMA = './node_modules/@sluice/nx/sluice.schema.json';

/** What Nx loads. */
const PLUGIN = '@sluice/nx';

/** What has the `sluice` command. */
const CLI = '@sluice/cli';

/** Name of a remote that is given by its URL alone. */
const FIRST_REMOTE = 'origin';

/** What to prepare besides what every workspace needs. */
export interface InitOptions {
  /** URL of a remote that is to be there, under the name `origin` if it is new. */
  readonly remote?: string | undefined;
  /** Add the plugin to `nx.json`: Nx must be able to load it. Without it, that is decided by whether the package is there. */
  readonly plugin?: boolean | undefined;
  /** The version of `@sluice/cli` to add to the dev dependencies, unless some version is there. */
  readonly cli?: string | undefined;
}

/**
 * Prepares the files of a workspace: `sluice.json`, lines for git and Nx, the plugin entry in `nx.json`, the command as a dev dependency. What is there already stays,
 * so twice is the same as once. Throws `ERR_CONFIG` for a configuration that cannot be used, `ERR_USAGE` for a URL and `ERR_WORKSPACE` for an
 * `nx.json` or `package.json` that is not JSON.
 */
export function initWorkspace(root: string, files: TextFiles, { remote, plugin, cli }: InitOptions): InitReport {
  const noting = notingFiles(files);
  addConfig(noting);
  if (remote !== undefined && !urlsOf(noting).includes(remote)) addRemote(root, FIRST_REMOTE, { url: remote }, noting);
  for (const [name, lines] of Object.entries(LINES)) addMissingLines(noting, name, lines);
  if (plugin ?? canLoadPlugin(noting)) addPlugin(noting);
  if (cli !== undefined) addCli(noting, cli);
  return { written: [...noting.written] };
}

interface NotingFiles extends TextFiles {
  readonly written: ReadonlySet<string>;
}

function notingFiles(files: TextFiles): NotingFiles {
  const written = new Set<string>();
  return {
    ...files,
    write: (path, text) => {
      files.write(path, text);
      written.add(path);
    },
    written,
  };
}

function addConfig(files: TextFiles): void {
  const text = files.read(CONFIG_FILE);
  if (text !== undefined) parseConfigFile(text, CONFIG_FILE);
  else files.write(CONFIG_FILE, `${JSON.stringify({ $schema: CONFIG_SCHEMA, remotes: {} }, undefined, 2)}\n`);
}

function urlsOf(files: TextFiles): (string | undefined)[] {
  return [CONFIG_FILE, LOCAL_CONFIG_FILE].flatMap((name) => {
    const text = files.read(name);
    return text === undefined ? [] : [...parseConfigFile(text, name).remotes.values()].map(({ url }) => url);
  });
}

function addMissingLines(files: TextFiles, name: string, lines: readonly string[]): void {
  const text = files.read(name) ?? '';
  const present = new Set(text.split(/\r?\n/));
  const missing = lines.filter((line) => !present.has(line));
  if (missing.length > 0) files.write(name, withLines(text, missing));
}

/** An entry for a package that is not there would make every command of Nx fail. */
function canLoadPlugin(files: TextFiles): boolean {
  return files.read(`node_modules/${PLUGIN}/package.json`) !== undefined;
}

function addPlugin(files: TextFiles): void {
  const text = files.read('nx.json') ?? '{}\n';
  const { plugins } = readObject('nx.json', text);
  if (Array.isArray(plugins)) {
    if (plugins.some((entry: unknown) => entry === PLUGIN || (isObject(entry) && entry.plugin === PLUGIN))) return;
    files.write('nx.json', setInJsonc(text, ['plugins', -1], PLUGIN));
  } else files.write('nx.json', setInJsonc(text, ['plugins'], [PLUGIN]));
}

/** Nx can live in a repository without a package.json; nothing can be installed there. */
function addCli(files: TextFiles, version: string): void {
  const text = files.read('package.json');
  if (text === undefined) return;
  const manifest = readObject('package.json', text);
  const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies];
  if (groups.some((group) => isObject(group) && Object.hasOwn(group, CLI))) return;
  files.write('package.json', setInJsonc(text, ['devDependencies', CLI], version, sortedKey(CLI)));
}

function readObject(name: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value = parseJsonc(text);
    if (isObject(value)) return value;
  } catch (error) {
    throw new SluiceError('ERR_WORKSPACE', `${name} is not JSON: ${String(error)}`, { hint: `Correct ${name}.` });
  }
  throw new SluiceError('ERR_WORKSPACE', `${name} is not a JSON object`, { hint: `Correct ${name}.` });
}
