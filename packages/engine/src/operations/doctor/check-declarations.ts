import { asSluiceError, type SluiceError } from '../../errors.js';
import { checkStages } from '../../stage/check-stages.js';
import { readLockFile } from '../../stage/lock-file.js';
import { type Stage, stageName } from '../../stage/stage.js';
import type { WorkspaceProjects } from '../../workspace/projects.js';
import type { Diagnosis, DoctorCheck, Patient } from './finding.js';

/** Finds projects and stages that cannot be used, alone or together. */
export function checkDeclarations(
  { problems }: WorkspaceProjects,
  stages: readonly Stage[],
  broken: ReadonlyMap<string, SluiceError>,
): Diagnosis[] {
  const found: Diagnosis[] = problems.map(({ file, message }) => ({
    check: 'project',
    level: 'problem',
    subject: file,
    message,
    fix: `Correct ${file}.`,
  }));
  for (const [name, error] of broken) found.push(failure('stage', name, error));
  const together = failureOf(() => checkStages(stages));
  if (together !== undefined) found.push(failure('stage', 'all stages together', together));
  return found;
}

/** Finds locks that cannot be read. */
export function checkLocks({ root, stages }: Patient): Diagnosis[] {
  return [...new Set(stages.map(({ projectRoot }) => projectRoot))].flatMap((projectRoot) => {
    const error = failureOf(() => readLockFile(root, projectRoot));
    return error === undefined ? [] : [failure('lock', `${projectRoot === '' ? '.' : projectRoot}`, error)];
  });
}

/** Finds remotes that are named and not configured. */
export function checkRemotes({ stages, config }: Patient): Diagnosis[] {
  const unknown = (subject: string, name: string): Diagnosis => ({
    check: 'remote',
    level: 'problem',
    subject,
    message: `names the remote ${JSON.stringify(name)}, which is not configured`,
    fix: `Add it (sluice remote add ${name} URL), or name another one.`,
  });
  const { defaultRemote, remotes } = config;
  const found = stages.flatMap((stage) =>
    stage.outs.flatMap(({ path, remote }) =>
      remote === undefined || remotes.has(remote) ? [] : [unknown(`${stageName(stage.id)} ${path}`, remote)],
    ),
  );
  if (defaultRemote !== undefined && !remotes.has(defaultRemote))
    found.unshift(unknown('defaultRemote', defaultRemote));
  return found;
}

/** A failure as a finding: its hint is what to do. */
export function failure(check: DoctorCheck, subject: string, { code, message, hint }: SluiceError): Diagnosis {
  return {
    check,
    level: 'problem',
    subject,
    message: `${code}: ${message}`,
    fix: hint ?? `See ${code} in docs/errors.md.`,
  };
}

/** What a function throws. A bug is thrown on. */
export function failureOf(run: () => unknown): SluiceError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    const known = asSluiceError(error);
    if (known.code === 'ERR_INTERNAL') throw error;
    return known;
  }
}
