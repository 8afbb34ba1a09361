import { asSluiceError, type SluiceError, throwIfAborted } from '../../errors.js';
import { compareUtf8 } from '../../model/path.js';
import { defineStages } from '../../stage/load-stages.js';
import { type Environment, readConfig } from '../../workspace/config.js';
import { readWorkspace } from '../../workspace/projects.js';
import { diskFiles } from '../../workspace/text-files.js';
import { checkDeclarations, checkLocks, checkRemotes, failure } from './check-declarations.js';
import { checkDisk } from './check-disk.js';
import { checkGit } from './check-git.js';
import { checkMergeDriver } from './check-merge-driver.js';
import { checkNxCache } from './check-nx-cache.js';
import { checkNxReads } from './check-nx-reads.js';
import { checkOrder } from './check-order.js';
import { checkPreparation, checkStorePlace } from './check-preparation.js';
import { checkSigning } from './check-signing.js';
import { checkVersions } from './check-versions.js';
import type { Diagnosis, DoctorCheck, DoctorFinding, Patient } from './finding.js';

/** What `doctor` found: problems first, then by check and subject. */
export interface DoctorReport {
  readonly findings: readonly DoctorFinding[];
  /** Stages that were looked at. */
  readonly stages: number;
  readonly ms: number;
}

/** What `doctor` needs of its host. */
export interface DoctorHost {
  readonly root: string;
  readonly env: Environment;
  readonly signal: AbortSignal | undefined;
  /** The time in ms since 1970. */
  readonly nowMs: () => number;
}

/**
 * Examines a workspace: what is declared, how git, Nx and the file system stand to it. Something that cannot be looked at is a finding itself, so one broken file
 * hides nothing else. With `fix`, what can be repaired by adding lines to files for git and Nx, to `sluice.json`, `nx.json` or git's configuration is. No data is touched.
 */
export async function doctor(host: DoctorHost, fix: boolean): Promise<DoctorReport> {
  const startedMs = performance.now();
  const { diagnoses, stages } = await examine(host);
  const findings: DoctorFinding[] = [];
  for (const { repair, ...said } of diagnoses) {
    if (fix) await repair?.();
    findings.push({ ...said, fixable: repair !== undefined, fixed: fix && repair !== undefined });
  }
  return { findings: findings.sort(byWeight), stages, ms: Math.round(performance.now() - startedMs) };
}

function byWeight(a: DoctorFinding, b: DoctorFinding): number {
  if (a.level !== b.level) return a.level === 'problem' ? -1 : 1;
  return compareUtf8(a.check, b.check) || compareUtf8(a.subject, b.subject);
}

async function examine(host: DoctorHost): Promise<{ readonly diagnoses: Diagnosis[]; readonly stages: number }> {
  const { root, env, signal, nowMs } = host;
  const files = diskFiles(root);
  const diagnoses: Diagnosis[] = [];
  /** Adds what a check finds, or what keeps it from finding anything. */
  const look = async <T>(check: DoctorCheck, subject: string, run: () => T | Promise<T>): Promise<T | undefined> => {
    throwIfAborted(signal);
    try {
      return await run();
    } catch (error) {
      const known: SluiceError = asSluiceError(error);
      if (known.code === 'ERR_INTERNAL' || known.code === 'ERR_INTERRUPTED') throw error;
      diagnoses.push(failure(check, subject, known));
      return undefined;
    }
  };
  const add = async (
    check: DoctorCheck,
    subject: string,
    run: () => Diagnosis[] | Promise<Diagnosis[]>,
  ): Promise<void> => {
    diagnoses.push(...((await look(check, subject, run)) ?? []));
  };

  const config = await look('configuration', 'sluice.json', () => readConfig(root, env));
  const projects = await look('workspace', 'nx.json', () => readWorkspace(root));
  const defined = projects === undefined ? undefined : defineStages(projects);
  const stages = [...(defined?.stages.values() ?? [])];
  if (projects !== undefined && defined !== undefined) {
    diagnoses.push(...checkDeclarations(projects, stages, defined.broken));
  }
  diagnoses.push(...checkVersions({ root }));
  // What follows needs both; what keeps them from being read is told by now.
  if (config === undefined || projects === undefined) return { diagnoses, stages: stages.length };

  const patient: Patient = { root, files, config, stages, signal };
  await add('preparation', 'package.json', () => [...checkPreparation(patient), ...checkStorePlace(patient)]);
  await add('lock', 'sluice-lock.json', () => checkLocks(patient));
  await add('remote', 'sluice.json', () => checkRemotes(patient));
  await add('signing-key', 'SLUICE_SIGNING_KEY', () => checkSigning(patient, env));
  await add('merge-driver', '.git/config', () => checkMergeDriver(patient));
  await add('git-tracked', '.git', () => checkGit(patient));
  await add('nx-reads', '.', () => checkNxReads(patient));
  await add('nx-cache', 'nx.json', () => checkNxCache(patient));
  await add('order', 'nx.json', () => checkOrder(patient));
  await add('file-system', '.sluice', () => checkDisk(patient, nowMs));
  return { diagnoses, stages: stages.length };
}
