import { formatBytes, type OutStatus, plural, type Reason, type StageStatus } from '@sluice/engine';

/** The most useful thing to do now. */
export function nextStep(stages: readonly StageStatus[]): string {
  return (
    resolveStep(stages) ??
    runStep(stages) ??
    restoreStep(stages) ??
    pushStep(stages) ??
    bringStep(stages) ??
    askStep(stages) ??
    'nothing to do'
  );
}

/** Before a merge is decided nothing else can be done. */
function resolveStep(stages: readonly StageStatus[]): string | undefined {
  const isOpen = stages.some(({ state }) => state === 'conflict');
  return isOpen ? 'next: sluice resolve --ours or --theirs, with a selector for some of them' : undefined;
}

/** Stages that have to run; one that waits for another comes after it. */
function runStep(stages: readonly StageStatus[]): string | undefined {
  const stale = stages.filter(({ state }) => state === 'changed' || state === 'new');
  const [waiting] = stale;
  if (waiting === undefined) return undefined;
  const first = stale.find(({ reasons }) => !reasons.some(isBlocked));
  if (first === undefined) return unblock(waiting);
  const name = nameOf(first);
  const isByHand =
    first.reasons.every(({ kind }) => kind === 'out' || kind === 'new') &&
    first.outs.some(({ workspace }) => workspace === 'modified');
  return isByHand
    ? `next: nx run ${name} (or sluice commit --force ${name}, to keep what lies there)`
    : `next: nx run ${name}`;
}

function unblock({ reasons }: StageStatus): string {
  const upstream = reasons.find(({ kind }) => kind === 'upstream');
  return upstream === undefined
    ? `next: make ${reasons.find(isBlocked)?.name}, which is not there`
    : `next: nx run ${upstream.after}`;
}

function isBlocked({ kind, before, after }: Reason): boolean {
  return kind === 'upstream' || (kind === 'dep' && before === null && after === null);
}

function restoreStep(stages: readonly StageStatus[]): string | undefined {
  const first = stages.find(({ state }) => state === 'restorable');
  return first === undefined ? undefined : `next: nx run ${nameOf(first)}`;
}

function pushStep(stages: readonly StageStatus[]): string | undefined {
  const outs = outsOf(stages).filter(
    ({ digest, remote }) => digest !== null && Object.values(remote).includes('absent'),
  );
  if (outs.length === 0) return undefined;
  const files = outs.reduce((sum, out) => sum + out.files, 0);
  const bytes = outs.reduce((sum, out) => sum + out.bytes, 0);
  return `${plural(files, 'file')} not pushed (${formatBytes(bytes)}); next: sluice push`;
}

/** Nothing has to be brought; whoever wants to read it brings it. */
function bringStep(stages: readonly StageStatus[]): string | undefined {
  const absent = outsOf(stages).filter(({ workspace }) => workspace === 'absent' || workspace === 'partial');
  if (absent.length === 0) return undefined;
  const command = absent.every(({ store }) => store === 'complete') ? 'sluice checkout' : 'sluice pull';
  return `${plural(absent.length, 'out')} reference-only; ${command} brings ${absent.length === 1 ? 'it' : 'them'}`;
}

/** What a remote has is not known while it is down. */
function askStep(stages: readonly StageStatus[]): string | undefined {
  const down = outsOf(stages).flatMap(({ remote }) =>
    Object.entries(remote).flatMap(([name, state]) => (state === 'down' ? [name] : [])),
  );
  if (down.length === 0) return undefined;
  return `nothing to do here; what is on ${[...new Set(down)].join(' and ')} is not known`;
}

function outsOf(stages: readonly StageStatus[]): OutStatus[] {
  return stages.flatMap(({ outs }) => outs);
}

function nameOf({ project, target }: StageStatus): string {
  return `${project}:${target}`;
}
