import { indexOuts, producersOf } from '../../stage/out-index.js';
import { type Stage, type StageId, stageName } from '../../stage/stage.js';
import { isObject } from '../../workspace/merge-target.js';
import { readDeclaredProjects } from '../../workspace/projects.js';
import type { Diagnosis, Patient } from './finding.js';

/** Stands for what the plugin adds to `dependsOn`, in lists that did not replace it. No target has this name. */
const INFERRED = '\0inferred';

/** A target and what it waits for. */
interface Waiting {
  readonly id: StageId;
  readonly file: string;
  readonly dependsOn: readonly unknown[];
}

/**
 * Finds stages that Nx does not run behind the stages that make what they read: a `dependsOn` of their own, in `project.json` or from `targetDefaults`, replaces what the
 * plugin adds. What cannot be told for certain, as with patterns, counts as said.
 */
export function checkOrder({ root, files, stages }: Patient): Diagnosis[] {
  const outs = indexOuts(stages);
  const commands = new Map(
    stages.filter(({ command }) => command !== undefined).map((one) => [stageName(one.id), one]),
  );
  const producers = (stage: Stage): StageId[] => {
    const made = producersOf(stage, outs).filter(({ producer }) => commands.has(stageName(producer)));
    return [...new Map(made.map(({ producer }) => [stageName(producer), producer])).values()];
  };
  const all = waitingTargets(root, files);
  const byName = new Map(all.map((one) => [stageName(one.id), one]));
  const before = ({ id, dependsOn }: Waiting): Waiting[] => {
    const stage = commands.get(stageName(id));
    const inferred = dependsOn.includes(INFERRED) && stage !== undefined ? producers(stage).map(stageName) : [];
    const said = dependsOn.flatMap((entry) => all.filter((other) => mayMean(entry, id, other.id)));
    return [...said, ...inferred.flatMap((name) => byName.get(name) ?? [])];
  };
  return [...commands.values()].flatMap((stage): Diagnosis[] => {
    const own = byName.get(stageName(stage.id));
    if (own === undefined || own.dependsOn.includes(INFERRED)) return [];
    const reached = reachedFrom(own, before);
    const missing = producers(stage).filter((producer) => !reached.has(stageName(producer)));
    return missing.length === 0 ? [] : [diagnosis(own, missing)];
  });
}

function waitingTargets(root: Patient['root'], files: Patient['files']): Waiting[] {
  return readDeclaredProjects(root, files, { dependsOn: [INFERRED] }).flatMap(({ name, file, targets }) =>
    [...targets].map(([target, { dependsOn }]) => ({
      id: { project: name, target },
      file,
      dependsOn: Array.isArray(dependsOn) ? dependsOn : [],
    })),
  );
}

/** Whether an entry of the `dependsOn` of a target can stand for another target. */
function mayMean(entry: unknown, from: StageId, to: StageId): boolean {
  if (typeof entry === 'string') {
    if (entry.startsWith('^')) return from.project !== to.project && isNamed(entry.slice(1), to.target);
    return from.project === to.project ? isNamed(entry, to.target) : entry === stageName(to);
  }
  if (!isObject(entry) || typeof entry.target !== 'string' || !isNamed(entry.target, to.target)) return false;
  const { projects, dependencies } = entry;
  if (projects === undefined && dependencies !== true) return from.project === to.project;
  const named = typeof projects === 'string' ? [projects] : projects;
  const isExact = Array.isArray(named) && named.every((name) => typeof name === 'string' && /^[@\w/.-]+$/.test(name));
  return !isExact || named.includes(to.project) || named.includes('self') || named.includes('dependencies');
}

/** Names of targets may hold patterns; all of them are taken to fit. */
function isNamed(name: string, target: string): boolean {
  return name === target || /[*?{[]/.test(name);
}

function reachedFrom(start: Waiting, before: (target: Waiting) => Waiting[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const target of before(next)) {
      const name = stageName(target.id);
      if (reached.has(name)) continue;
      reached.add(name);
      open.push(target);
    }
  }
  return reached;
}

function diagnosis({ id, file }: Waiting, missing: readonly StageId[]): Diagnosis {
  const entries = missing.map(({ project, target }) =>
    JSON.stringify(project === id.project ? target : { projects: [project], target }),
  );
  return {
    check: 'order',
    level: 'problem',
    subject: stageName(id),
    message: `has a "dependsOn" of its own, which replaces what Sluice adds: Nx does not run ${missing.map(stageName).join(', ')} before it`,
    fix: `Put "..." into "dependsOn" in ${file} or in "targetDefaults" of nx.json (Nx 23 and up), or add ${entries.join(', ')}.`,
  };
}
