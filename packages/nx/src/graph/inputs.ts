import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Dep, Producer, StageNode } from '@sluice/engine/graph';
import type { InferredTarget } from './nx-shapes.js';

/** The name of a lock, beside the `project.json` of its stages. */
const LOCK = 'sluice-lock.json';

/**
 * What Nx has to look at to know that a stage may have to run: its declaration, files that no stage makes, and the locks of the stages that make the others.
 * Data itself is left out: Nx would read it whole.
 */
export function inputsOf(
  root: string,
  node: StageNode,
  lockRoots: ReadonlyMap<string, string>,
): InferredTarget['inputs'] {
  const own = node.projectRoot;
  const inputs = new Set<string>([tokenPath(node.file, own)]);
  const env = new Set<string>();
  for (const stage of node.variants) {
    for (const dep of stage.deps)
      for (const input of filesOf(root, dep, own, producersOf(node, dep))) inputs.add(input);
    for (const { file } of stage.params) {
      const isMade = producersOf(node, { kind: 'path', path: file }).length > 0;
      if (!isMade) inputs.add(tokenPath(literal(file), own));
    }
    for (const name of stage.env) env.add(name);
    // What a person keeps is what its lock says.
    if (stage.command === undefined) inputs.add(tokenPath(joinPath(own, LOCK), own));
  }
  for (const { producer } of node.producers) {
    const lockRoot = lockRoots.get(producer.project);
    if (lockRoot !== undefined) inputs.add(tokenPath(joinPath(lockRoot, LOCK), own));
  }
  return [...inputs, ...[...env].map((name) => ({ env: name }))];
}

/** A path of the workspace in Nx's words: below the project, or below the workspace root. */
export function tokenPath(path: string, projectRoot: string): string {
  if (projectRoot === '' || !isWithin(path, projectRoot)) return `{workspaceRoot}/${path}`;
  return `{projectRoot}${path.slice(projectRoot.length)}`;
}

/** The files of a dep that no stage makes. */
function filesOf(root: string, dep: Dep, projectRoot: string, producers: readonly Producer[]): string[] {
  if (producers.some(({ relation }) => relation !== 'contains')) return [];
  const path = dep.kind === 'path' ? literal(dep.path) : nxPattern(dep.pattern);
  const token = tokenPath(path, projectRoot);
  const files = dep.kind === 'path' ? withKind(root, dep.path, token) : [token];
  // An exclusion counts for inputs that begin with the same word.
  const base = token.startsWith('{projectRoot}') ? projectRoot : '';
  const made = producers.map(({ out }) => `!${tokenPath(literal(out), base)}`);
  return [...files, ...made.flatMap((out) => [out, `${out}/**/*`])];
}

/** A directory stands for the files in it. What is not there may become either. */
function withKind(root: string, path: string, token: string): string[] {
  const all = path === '' ? '{workspaceRoot}/**/*' : `${token}/**/*`;
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return [token, all];
  return [stat.isDirectory() ? all : token];
}

function producersOf(node: StageNode, dep: Dep): Producer[] {
  const name = nameOf(dep);
  return node.producers.filter((producer) => nameOf(producer.dep) === name);
}

function nameOf(dep: Dep): string {
  return dep.kind === 'path' ? dep.path : dep.pattern;
}

/** Nx takes every path for a pattern. `?` fits any one character, so more may be looked at, and never less. */
function literal(path: string): string {
  return path.replaceAll(/[*?[\]{}()!+@|]/g, '?');
}

/** Our patterns escape with a backslash, which Nx does not know. */
function nxPattern(pattern: string): string {
  return pattern.replaceAll(/\\./g, '?');
}

function joinPath(base: string, name: string): string {
  return base === '' ? name : `${base}/${name}`;
}

function isWithin(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}
