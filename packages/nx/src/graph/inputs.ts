import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Dep, Producer, StageNode } from '@sluice/engine/graph';
import { depName, nodeName } from './names.js';
import type { InferredTarget } from './nx-shapes.js';

/** The name of a lock, beside the `project.json` of its stages. */
const LOCK = 'sluice-lock.json';

/** A stage with more inputs from stages before it stands on whole projects instead: a long chain would have a list for each of its stages. */
const MOST_INPUTS = 300;

/** All nodes by `project:target`. */
export type NodesByName = ReadonlyMap<string, StageNode>;

/**
 * What Nx has to look at to know that a stage may have to run: its declaration, files that no stage makes, the locks of the stages that make the others, and what decides those:
 * Nx 24 selects the tasks that are affected by their inputs alone. Data itself is left out: Nx would read it whole.
 */
export function inputsOf(root: string, node: StageNode, nodes: NodesByName): InferredTarget['inputs'] {
  const own = node.projectRoot;
  const direct = new Set(inputsOfOne(root, node, nodes, own));
  const inputs = new Set(direct);
  for (const before of upstreamOf(node, nodes)) {
    for (const input of inputsOfOne(root, before, nodes, own)) inputs.add(input);
    if (inputs.size > MOST_INPUTS) return [...direct, '{projectRoot}/**/*', '^{projectRoot}/**/*', ...envOf(node)];
  }
  return [...inputs, ...envOf(node)];
}

/** The stages whose outs a stage reads, and those whose outs these read. */
function* upstreamOf(node: StageNode, nodes: NodesByName): Generator<StageNode> {
  const seen = new Set([node]);
  for (const at of seen) {
    if (at !== node) yield at;
    for (const { producer } of at.producers) {
      const next = nodes.get(nodeName(producer));
      if (next !== undefined) seen.add(next);
    }
  }
}

function* inputsOfOne(root: string, node: StageNode, nodes: NodesByName, own: string): Generator<string> {
  yield tokenPath(node.file, own);
  for (const stage of node.variants) {
    for (const dep of stage.deps) yield* filesOf(root, dep, own, producersOf(node, depName(dep)));
    for (const { file } of stage.params) {
      const isMade = producersOf(node, file).length > 0;
      if (!isMade) yield tokenPath(literal(file), own);
    }
    // What a person keeps is what its lock says.
    if (stage.command === undefined) yield tokenPath(joinPath(node.projectRoot, LOCK), own);
  }
  for (const { producer } of node.producers) {
    const lockRoot = nodes.get(nodeName(producer))?.projectRoot;
    if (lockRoot !== undefined) yield tokenPath(joinPath(lockRoot, LOCK), own);
  }
}

function envOf({ variants }: StageNode): { readonly env: string }[] {
  return [...new Set(variants.flatMap(({ env }) => env))].map((env) => ({ env }));
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

/** Who makes what a stage names as a dep or as a file of params. */
function producersOf(node: StageNode, name: string): Producer[] {
  return node.producers.filter(({ dep }) => depName(dep) === name);
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
