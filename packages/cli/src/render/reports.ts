import {
  type CheckoutReport,
  type CommitReport,
  type ExplainReport,
  type FetchReport,
  formatBytes,
  formatCount,
  formatDuration,
  type GcReport,
  type PullReport,
  type PushReport,
  plural,
  reasonsText,
  type StoreStat,
  type VerifyReport,
} from '@sluice/engine';

/** The sentences of each command's report. */

export function commitText({ stages, objects, bytes, ms }: CommitReport): string {
  if (stages.length === 0) return 'nothing to commit: no dataset that is kept by hand lies in the workspace';
  const lines = stages.map(({ project, target, outs }) => {
    const shown = outs.map(
      (out) => `${out.path} ${out.digest.slice(0, 19)} (${plural(out.files, 'file')}, ${formatBytes(out.bytes)})`,
    );
    return `${project}:${target}  ${shown.join(', ')}`;
  });
  const fresh = `${plural(objects.new, 'new object')} (${formatBytes(bytes.new)})`;
  return [...lines, `${fresh}, ${formatCount(objects.reused)} already stored, in ${formatDuration(ms)}`].join('\n');
}

export function checkoutText({ workspace, bytes, ms }: CheckoutReport): string {
  if (workspace.written + workspace.removed === 0)
    return `nothing to do: ${plural(workspace.unchanged, 'file')} as committed`;
  return `wrote ${plural(workspace.written, 'file')} (${formatBytes(bytes)}), removed ${formatCount(workspace.removed)}, left ${formatCount(workspace.unchanged)} as they were, in ${formatDuration(ms)}`;
}

export function pushText({ files, bytes, remote, dryRun, ms }: PushReport): string {
  const all = files.sent + files.reused;
  const verb = dryRun ? 'would push' : 'pushed';
  const sent = `${formatCount(files.sent)} new (${formatBytes(bytes.sent)})`;
  const reused = `${formatCount(files.reused)} already stored${files.reused === 0 ? '' : ` (${formatBytes(bytes.reused)})`}`;
  return `${verb} ${plural(all, 'file')} to ${remote}: ${sent}, ${reused}, in ${formatDuration(ms)}`;
}

export function fetchText({ files, bytes, remote, left, ms }: FetchReport): string {
  const reused = `${formatCount(files.reused)} here already`;
  const rest = left.files === 0 ? '' : `; left out: ${plural(left.files, 'file')} (${formatBytes(left.bytes)})`;
  return `received ${plural(files.received, 'file')} (${formatBytes(bytes.received)}) from ${remote}, ${reused}, in ${formatDuration(ms)}${rest}`;
}

export function pullText(report: PullReport): string {
  const { files, bytes, remote, workspace, left } = report;
  if (workspace.written + workspace.removed + files.received === 0 && left.files === 0) {
    return `nothing to do: ${plural(workspace.unchanged, 'file')} as committed`;
  }
  const local = Math.max(0, workspace.written - files.received);
  const removed = workspace.removed === 0 ? '' : `; removed ${formatCount(workspace.removed)}`;
  const rest = left.files === 0 ? '' : `; left out: ${plural(left.files, 'file')} (${formatBytes(left.bytes)})`;
  return `restored ${plural(workspace.written, 'file')}: ${formatCount(local)} local, ${formatCount(files.received)} from ${remote} (${formatBytes(bytes.received)})${removed}${rest}`;
}

export function gcText({ removed, kept, keptUnpushed, dryRun, ms }: GcReport): string {
  const gone = removed.blobs + removed.trees;
  const live = kept.blobs + kept.trees;
  const unpushed = keptUnpushed.blobs + keptUnpushed.trees;
  const all = gone + live + unpushed;
  const verb = dryRun ? 'would remove' : 'removed';
  const first = `${verb} ${formatCount(gone)} of ${plural(all, 'object')} (${formatBytes(removed.bytes)}); ${formatCount(live)} kept, in ${formatDuration(ms)}`;
  if (unpushed === 0) return first;
  return `${first}\nkept ${formatCount(unpushed)} unpushed (${formatBytes(keptUnpushed.bytes)}): sluice push sends them, --allow-unpushed drops them`;
}

export function verifyText({ findings, checked, ms }: VerifyReport): string {
  const lines = findings.map(
    ({ where, name, problem, repaired }) => `${where} ${name}: ${problem.message}${repaired ? ' (repaired)' : ''}`,
  );
  const open = findings.filter(({ repaired }) => !repaired).length;
  const verdict =
    findings.length === 0
      ? 'nothing wrong'
      : `${plural(findings.length, 'finding')}, ${formatCount(findings.length - open)} repaired`;
  const looked = `checked ${plural(checked.objects, 'object')} and ${plural(checked.files, 'file')} (${formatBytes(checked.bytes)}) in ${formatDuration(ms)}`;
  return [...lines, `${looked}: ${verdict}`].join('\n');
}

export function explainText({ project, target, state, reasons, parts }: ExplainReport): string {
  const name = `${project}:${target}`;
  const verdict = {
    unchanged: `${name} is unchanged: it would not run`,
    restorable: `${name} would be restored, not run: its result for these inputs is known`,
    changed: `${name} would run`,
    new: `${name} would run: it never ran here`,
  }[state];
  const why = reasons.length === 0 || state === 'new' ? verdict : `${verdict} (${reasonsText(reasons)})`;
  const rows = parts.map(({ kind, name: part, before, after, changed }) => {
    const key = part === '' ? kind : `${kind} ${part}`;
    return changed
      ? `* ${key}\n    before  ${before ?? '(none)'}\n    after   ${after ?? '(none)'}`
      : `  ${key}  ${after ?? '(none)'}`;
  });
  return [why, ...rows].join('\n');
}

export function storeStatText({ objects, blobs, trees, records, bytes, path }: StoreStat): string {
  return `${plural(objects, 'object')}: ${plural(blobs, 'blob')}, ${plural(trees, 'tree')} (${formatBytes(bytes)}); ${plural(records, 'record')}\n${path}`;
}
