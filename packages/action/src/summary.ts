import { formatBytes, formatDuration, plural, type RemoteTraffic, reasonsText, visible } from '@sluice/engine';
import type { Report } from './report.js';
import { stageOf, type TaskNote } from './task-notes.js';

/** The runner drops a summary of more than 1 MiB; characters may take more than one byte. */
const MOST_CHARACTERS = 250_000;
/** Rows that a person still reads. */
const MOST_ROWS = 500;

const VERBS: Readonly<Record<TaskNote['outcome'], string>> = {
  unchanged: '✅ unchanged',
  restored: '📦 restored',
  ran: '🔨 ran',
  committed: '🔨 committed',
  failed: '❌ failed',
};
/** What a person looks for comes first. */
const ORDER: readonly TaskNote['outcome'][] = ['failed', 'ran', 'committed', 'restored', 'unchanged'];

/** The summary of a step in Markdown. Names come from the repository, so nothing in them is taken for Markdown or HTML. */
export function summaryOf(report: Report, checkout: string): string {
  const { totals } = report;
  const counts = [
    [totals.failed, 'failed'],
    [totals.ran, 'ran'],
    [totals.restored, 'restored'],
    [totals.unchanged, 'unchanged'],
  ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  const facts = [
    ...(totals.bytesReceived > 0 ? [`received ${formatBytes(totals.bytesReceived)}`] : []),
    ...(totals.bytesPushed > 0 ? [`pushed ${formatBytes(totals.bytesPushed)}`] : []),
    ...(totals.savedMs > 0 ? [`saved ${formatDuration(totals.savedMs)}`] : []),
  ];
  const head = `### Sluice: ${plural(totals.stages, 'stage')}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
  const sections = report.workspaces.flatMap((workspace) => {
    const name = relativeName(checkout, workspace.root);
    return [
      ...(report.workspaces.length > 1 ? [`#### ${code(name)}`] : []),
      ...table(workspace.stages),
      ...tiers(workspace.stages, workspace.remotes),
      ...workspace.problems.map(
        ({ code: problem, message }) => `> ⚠️ not everything was pushed: ${code(problem)} ${escapeMarkdown(message)}`,
      ),
    ];
  });
  const standing = `<sub>Area ${code(report.area)}; ${report.push.enabled ? 'pushes' : 'pushes nothing'}. ${escapeMarkdown(report.push.why)}</sub>`;
  const text = [head, ...(facts.length === 0 ? [] : [`${facts.join(' · ')}`]), ...sections, standing].join('\n\n');
  return text.length <= MOST_CHARACTERS
    ? text
    : [head, facts.join(' · '), 'There are too many stages to show them here; the report has them all.', standing].join(
        '\n\n',
      );
}

/** What did something is shown; what did not is folded away. */
function table(stages: readonly TaskNote[]): string[] {
  const sorted = [...stages].sort((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome));
  const busy = sorted.filter(({ outcome }) => outcome !== 'unchanged');
  const idle = sorted.filter(({ outcome }) => outcome === 'unchanged');
  return [
    ...(busy.length === 0 ? [] : [rows(busy)]),
    ...(idle.length === 0
      ? []
      : [`<details><summary>${plural(idle.length, 'unchanged stage')}</summary>\n\n${rows(idle)}\n\n</details>`]),
  ];
}

/** Where data came from and went to. */
function tiers(stages: readonly TaskNote[], remotes: readonly RemoteTraffic[]): string[] {
  const local = stages.filter(({ source }) => source === 'store');
  const localBytes = local.reduce((sum, { bytes }) => sum + bytes, 0);
  const used = remotes.filter(({ requests }) => requests > 0);
  if (local.length + used.length === 0) return [];
  const lines = used.map(
    ({ remote, kind, requests, receivedObjects, receivedBytes, sentObjects, sentBytes, busyMs }) => [
      `${code(remote)} (${escapeMarkdown(kind)})`,
      `${formatBytes(receivedBytes)} in ${plural(receivedObjects, 'part')}`,
      `${formatBytes(sentBytes)} in ${plural(sentObjects, 'object')}`,
      plural(requests, 'request'),
      formatDuration(busyMs),
    ],
  );
  if (local.length > 0)
    lines.unshift(['the store', `${formatBytes(localBytes)} of ${plural(local.length, 'stage')}`, '', '', '']);
  return [
    [
      `<details><summary>Where data came from and went to</summary>\n`,
      '| | Received | Sent | Requests | Time |',
      '| --- | ---: | ---: | ---: | ---: |',
      ...lines.map((cells) => `| ${cells.join(' | ')} |`),
      '\n</details>',
    ].join('\n'),
  ];
}

function rows(stages: readonly TaskNote[]): string {
  const lines = stages.slice(0, MOST_ROWS).map((note) => {
    const why = note.error === null ? reasonsText(note.reasons) : `${note.error.code}: ${note.error.message}`;
    const cells = [
      code(stageOf(note)),
      VERBS[note.outcome],
      escapeMarkdown(shorten(why)),
      formatDuration(note.ms),
      note.bytes === 0 ? '' : formatBytes(note.bytes),
      note.savedMs === 0 ? '' : formatDuration(note.savedMs),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const more =
    stages.length > MOST_ROWS ? [`| … and ${plural(stages.length - MOST_ROWS, 'more stage')} | | | | | |`] : [];
  return [
    '| Stage | | Why | Time | Data | Saved |',
    '| --- | --- | --- | ---: | ---: | ---: |',
    ...lines,
    ...more,
  ].join('\n');
}

/** The first line, cut to what a cell takes. */
export function shorten(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length <= 300 ? line : `${line.slice(0, 299)}…`;
}

/** Text in a cell: what Markdown, HTML, mentions and links are made of loses its meaning. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]()#+!|~$@:]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The same in the letters of code. */
export function code(text: string): string {
  return `<code>${escapeMarkdown(text)}</code>`;
}

function relativeName(checkout: string, root: string): string {
  return root === checkout ? '.' : root.startsWith(`${checkout}/`) ? root.slice(checkout.length + 1) : root;
}
