import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { asSluiceError, type ErrorCode, type SluiceError } from '../errors.js';
import { checkStages } from '../stage/check-stages.js';
import { defineStages } from '../stage/load-stages.js';
import { indexOuts, producersOf } from '../stage/out-index.js';
import { type Stage, type StageId, stageName } from '../stage/stage.js';
import type { WorkspaceProjects } from '../workspace/projects.js';
import type { Project } from '../workspace/read-project.js';

/** Something in a declaration that no run can succeed with. `file` is relative to the workspace root, `line` begins at 1. */
export interface DeclarationProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  /** `project:target`, where the problem is that of one stage. */
  readonly stage: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** What the files of a workspace declare: its stages, and all that is wrong with them. */
export interface DeclarationsReport {
  /** A target with a matrix is here once per combination. */
  readonly stages: readonly StageId[];
  /** The names by which Nx runs them. */
  readonly targets: readonly string[];
  /** Who makes what for whom, as `project:target` by the names of Nx, each pair once. */
  readonly edges: readonly (readonly [producer: string, consumer: string])[];
  readonly problems: readonly DeclarationProblem[];
}

/** Reads all declarations and checks them, each alone and all together. Runs nothing and throws nothing that a declaration caused. */
export function checkDeclarations(root: string, projects: WorkspaceProjects): DeclarationsReport {
  const { stages, broken } = defineStages(projects);
  const problems: DeclarationProblem[] = projects.problems.map(({ file, message }) => ({
    code: 'ERR_WORKSPACE',
    message: `${file} ${message}`,
    hint: 'Correct the file.',
    stage: undefined,
    file,
    line: 1,
  }));
  for (const project of projects.projects.values()) {
    for (const target of project.stages.keys()) {
      const stage = `${project.name}:${target}`;
      const error = broken.get(stage);
      if (error !== undefined) problems.push({ ...problemOf(error), stage, ...placeOf(root, project, target, error) });
    }
  }
  const together = attempt(() => checkStages([...stages.values()]));
  if (together !== undefined)
    problems.push({ ...problemOf(together), stage: undefined, file: undefined, line: undefined });
  return {
    stages: [...stages.values()].map(({ id }) => id),
    targets: [...new Set([...projects.projects.values()].flatMap(targetsOf))].sort(),
    edges: edgesOf(projects, [...stages.values()]),
    problems,
  };
}

function edgesOf({ projects }: WorkspaceProjects, stages: readonly Stage[]): (readonly [string, string])[] {
  const matrixOf = new Map<string, string>(
    [...projects.values()].flatMap(({ name, matrices }) =>
      [...matrices].flatMap(([of, made]) => made.map((target) => [`${name}:${target}`, `${name}:${of}`] as const)),
    ),
  );
  const nameOf = (id: StageId): string => matrixOf.get(stageName(id)) ?? stageName(id);
  const outs = indexOuts(stages);
  const edges = new Map<string, readonly [string, string]>();
  for (const stage of stages) {
    for (const { producer } of producersOf(stage, outs)) {
      const edge = [nameOf(producer), nameOf(stage.id)] as const;
      if (edge[0] !== edge[1]) edges.set(edge.join('\n'), edge);
    }
  }
  return [...edges.values()];
}

/** A target with a matrix is run by its own name. */
function targetsOf({ stages, matrices }: Project): string[] {
  const expanded = new Set([...matrices.values()].flat());
  return [...matrices.keys(), ...[...stages.keys()].filter((target) => !expanded.has(target))];
}

function problemOf({ code, message, hint }: SluiceError): Pick<DeclarationProblem, 'code' | 'message' | 'hint'> {
  return { code, message, hint };
}

function attempt(check: () => unknown): SluiceError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return asSluiceError(error);
  }
}

/** The line of the option that is wrong, else of its target, else the first one. */
function placeOf(root: string, project: Project, target: string, error: SluiceError): { file: string; line: number } {
  const name = [...project.matrices].find(([, expanded]) => expanded.includes(target))?.[0] ?? target;
  const keys = project.file.endsWith('package.json') ? ['nx', 'targets', name] : ['targets', name];
  return { file: project.file, line: lineOf(join(root, project.file), [...keys, 'options', ...optionOf(error)]) };
}

/** `deps[0].path` as keys; nothing where the error names no option. */
function optionOf({ details }: SluiceError): (string | number)[] {
  const problems: unknown = details?.problems;
  const first: unknown = Array.isArray(problems) ? problems[0] : undefined;
  const option: unknown = typeof first === 'object' && first !== null && 'option' in first ? first.option : undefined;
  if (typeof option !== 'string') return [];
  return [...option.matchAll(/[^.[\]]+/g)].map(([key]) => (/^\d+$/.test(key) ? Number(key) : key));
}

function lineOf(file: string, place: readonly (string | number)[]): number {
  const { parseTree, findNodeAtLocation }: typeof import('jsonc-parser') = createRequire(import.meta.url)(
    'jsonc-parser',
  );
  const text = readFileSync(file, 'utf8');
  const tree = parseTree(text);
  for (let length = place.length; length > 0 && tree !== undefined; length--) {
    const node = findNodeAtLocation(tree, place.slice(0, length));
    // A value may begin lines below its key.
    if (node !== undefined)
      return text.slice(0, (node.parent?.type === 'property' ? node.parent : node).offset).split('\n').length;
  }
  return 1;
}
