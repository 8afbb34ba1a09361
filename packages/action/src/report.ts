import type { RemoteTraffic } from '@sluice/engine';
import type { Review } from './review-data.js';
import type { Standing } from './standing.js';
import { stageOf, type TaskNote } from './task-notes.js';
import type { WorkspaceRun } from './workspace-run.js';

/** What a step did, as the JSON report has it. Sizes in bytes, times in ms. */
export interface Report {
  readonly schema: 1;
  readonly startedAt: string;
  readonly ms: number;
  readonly area: string;
  readonly push: { readonly enabled: boolean; readonly why: string };
  readonly totals: Totals;
  /** Stages that ran or were restored or committed: what they made differs from what the checkout names, or may. */
  readonly changedStages: readonly string[];
  readonly lockChanged: boolean;
  readonly workspaces: readonly {
    readonly root: string;
    readonly command: string;
    readonly exitCode: number | null;
    readonly ms: number;
    readonly stages: readonly TaskNote[];
    readonly pushed: {
      readonly files: number;
      readonly objects: number;
      readonly bytes: number;
      readonly ms: number;
    } | null;
    readonly remotes: readonly RemoteTraffic[];
    /** `project:target` of who makes something, and of whom for. */
    readonly edges: readonly (readonly [string, string])[];
    /** How many outs, params and metrics differ from the commit that the run is compared with, or why that is not known. */
    readonly review:
      | { readonly base: string; readonly outs: number; readonly params: number; readonly metrics: number }
      | { readonly problem: string }
      | null;
    readonly problems: readonly { readonly code: string; readonly message: string }[];
  }[];
}

/** Sums over all workspaces. */
export interface Totals {
  readonly stages: number;
  readonly unchanged: number;
  readonly restored: number;
  readonly ran: number;
  readonly failed: number;
  readonly bytesReceived: number;
  readonly bytesPushed: number;
  readonly objectsPushed: number;
  readonly savedMs: number;
}

/** What the report needs besides the runs. */
export interface ReportOptions {
  readonly startedAt: Date;
  readonly ms: number;
  readonly standing: Standing;
  readonly isPushing: boolean;
  readonly lockChanged: boolean;
}

export function makeReport(runs: readonly WorkspaceRun[], options: ReportOptions): Report {
  const { startedAt, ms, standing, isPushing, lockChanged } = options;
  return {
    schema: 1,
    startedAt: startedAt.toISOString(),
    ms: Math.round(ms),
    area: standing.area,
    push: { enabled: isPushing, why: standing.why },
    totals: totalsOf(runs),
    changedStages: runs.flatMap(({ stages }) => stages.filter(({ outcome }) => outcome !== 'unchanged').map(stageOf)),
    lockChanged,
    workspaces: runs.map(({ root, command, exitCode, ms: runMs, stages, pushed, review, edges, remotes }) => ({
      root,
      command,
      exitCode,
      ms: runMs,
      stages,
      remotes: remotes.map((traffic) => ({ ...traffic, busyMs: Math.round(traffic.busyMs) })),
      edges,
      review: review === undefined ? null : countsOf(review),
      pushed:
        pushed === undefined
          ? null
          : { files: pushed.files, objects: pushed.objects, bytes: pushed.bytes, ms: pushed.ms },
      problems: (pushed?.problems ?? []).map(({ code, message }) => ({ code, message })),
    })),
  };
}

function countsOf(review: Review): Report['workspaces'][number]['review'] {
  if (review.kind === 'unknown') return { problem: review.why };
  const { outs, params, metrics } = review.report;
  return { base: review.base.rev, outs: outs.length, params: params.length, metrics: metrics.length };
}

function totalsOf(runs: readonly WorkspaceRun[]): Totals {
  const stages = runs.flatMap((run) => run.stages);
  const count = (...outcomes: TaskNote['outcome'][]): number =>
    stages.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    stages: stages.length,
    unchanged: count('unchanged'),
    restored: count('restored'),
    ran: count('ran', 'committed'),
    failed: count('failed'),
    bytesReceived: sum(stages.map(({ receivedBytes }) => receivedBytes)),
    bytesPushed: sum(runs.map(({ pushed }) => pushed?.bytes ?? 0)),
    objectsPushed: sum(runs.map(({ pushed }) => pushed?.objects ?? 0)),
    savedMs: sum(stages.map(({ savedMs }) => savedMs)),
  };
}

/** The outputs of the action, by name. */
export function outputsOf(report: Report, reportPath: string): Record<string, string> {
  const { totals } = report;
  return {
    stages: String(totals.stages),
    'stages-unchanged': String(totals.unchanged),
    'stages-restored': String(totals.restored),
    'stages-ran': String(totals.ran),
    'stages-failed': String(totals.failed),
    'bytes-received': String(totals.bytesReceived),
    'bytes-pushed': String(totals.bytesPushed),
    'objects-pushed': String(totals.objectsPushed),
    'changed-stages': JSON.stringify(report.changedStages),
    'lock-changed': String(report.lockChanged),
    area: report.area,
    report: reportPath,
  };
}
