import { LOCK_FILE } from '../model/lock.js';
import { compareUtf8, isWithin, type RelPath } from '../model/path.js';
import { parseDeclaredPath, type TokenValues } from './declared-path.js';
import {
  choiceOption,
  flagOption,
  listOption,
  type OptionProblem,
  type OptionReader,
  openOptions,
  reportTwice,
  textOption,
} from './option-reader.js';
import type { Mutability, Out } from './stage.js';

const OUT_OPTIONS = ['path', 'cache', 'push', 'persist', 'remote', 'metrics', 'mutability'] as const;
const MUTABILITIES = ['strict', 'flexible', 'mutable', 'append-only'] as const satisfies Mutability[];

/** Names that must stay what they are wherever they lie: an out is swapped as a whole and ignored by git. */
const RESERVED_FILES = [LOCK_FILE, 'project.json', '.gitignore', '.nxignore', '.sluiceignore'];
const RESERVED_DIRECTORIES = ['.git', '.sluice', 'node_modules'];
const RESERVED_IN_ROOT = ['nx.json', 'package.json', 'sluice.json', 'sluice.local.json'];

/** A checked out, with the place of its declaration: `outs[2]`. */
export interface DeclaredOut extends Out {
  readonly option: string;
}

/** Reads and checks the outs of a stage; the result is sorted by path. Whatever is wrong is reported and left out. */
export function defineOuts(reader: OptionReader, project: TokenValues, projectRoot: RelPath): DeclaredOut[] {
  const outs = listOption(reader, 'outs').flatMap(([option, value]) => {
    const out = defineOut(option, value, project, reader.problems);
    if (out === undefined) return [];
    const problem = placeProblem(out.path, projectRoot);
    if (problem !== undefined) reader.problems.push({ option, ...problem });
    return problem === undefined ? [out] : [];
  });
  outs.sort((a, b) => compareUtf8(a.path, b.path));
  reportTwice(
    reader.problems,
    outs.map((out) => [out.option, out.path]),
  );
  for (const inner of outs) {
    const outer = outs.find((out) => out.path !== inner.path && isWithin(inner.path, out.path));
    if (outer === undefined) continue;
    reader.problems.push({
      option: inner.option,
      message: `${JSON.stringify(inner.path)} lies inside ${outer.option}, ${JSON.stringify(outer.path)}`,
      hint: 'Declare only the outer path, or two that lie side by side.',
    });
  }
  return outs;
}

function defineOut(
  option: string,
  value: unknown,
  project: TokenValues,
  problems: OptionProblem[],
): DeclaredOut | undefined {
  const reader = openOptions(typeof value === 'string' ? { path: value } : value, `${option}.`, OUT_OPTIONS, problems);
  const attributes = {
    cache: flagOption(reader, 'cache', true),
    push: flagOption(reader, 'push', true),
    persist: flagOption(reader, 'persist', false),
    remote: textOption(reader, 'remote'),
    metrics: flagOption(reader, 'metrics', false),
    mutability: choiceOption(reader, 'mutability', MUTABILITIES) ?? 'flexible',
  };
  const declared = textOption(reader, 'path');
  if (declared === undefined) {
    if (reader.options.size > 0 && !reader.options.has('path')) {
      problems.push({ option, message: 'has no path', hint: 'Add "path".' });
    }
    return undefined;
  }
  const path = parseDeclaredPath(declared, project);
  if (!path.ok) {
    problems.push({ option, message: `${JSON.stringify(declared)} ${path.message}`, hint: path.hint });
    return undefined;
  }
  return { option, path: path.value, ...attributes };
}

function placeProblem(path: RelPath, projectRoot: RelPath): Omit<OptionProblem, 'option'> | undefined {
  const shown = JSON.stringify(path === '' ? '.' : path);
  const below = 'Declare a directory or file of its own below the project root.';
  if (path === '') return { message: `${shown} is the workspace root`, hint: below };
  if (path === projectRoot) return { message: `${shown} is the project root`, hint: below };
  if (isWithin(projectRoot, path)) return { message: `${shown} holds the project root`, hint: below };
  if (/[*?]/.test(path))
    return { message: `${shown} is a pattern`, hint: 'An out is one file or one directory; declare the directory.' };
  const segments = path.split('/');
  const directory = RESERVED_DIRECTORIES.find((name) => segments.includes(name));
  if (directory !== undefined)
    return { message: `${shown} lies inside ${directory}`, hint: 'Move the data elsewhere.' };
  const name = segments.at(-1) ?? '';
  if (RESERVED_FILES.includes(name) || RESERVED_IN_ROOT.includes(path) || path === '__proto__') {
    return { message: `${shown} has a name that is reserved`, hint: 'Give the out another name.' };
  }
  return undefined;
}
