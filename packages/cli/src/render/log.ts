import {
  type ChangeCount,
  formatBytes,
  formatCount,
  formatDuration,
  type LogCommit,
  type LogOut,
  type LogReport,
  plural,
  visible,
} from '@sluice/engine';
import { shortenDigests } from './digest.js';
import { graphLines } from './graph.js';

/** How a log is shown. */
export interface LogStyle {
  readonly graph: boolean;
  /** Digests in full, and all that records say. */
  readonly verbose: boolean;
}

/** Each commit with its outs below it. */
export function logText({ commits, shallow }: LogReport, style: LogStyle): string {
  if (commits.length === 0) return 'no commit has changed this data';
  const textOf = (commit: LogCommit): string[] => [
    headOf(commit),
    ...commit.outs.flatMap((out) => outLines(out, style.verbose).map((line) => `  ${line}`)),
    '',
  ];
  const lines = style.graph ? graphLines(commits, textOf) : commits.flatMap(textOf);
  const note = shallow ? ['older commits are not in this clone: git fetch --unshallow brings them'] : [];
  while (lines.at(-1) === '') lines.pop();
  return [...lines, ...(note.length > 0 ? ['', ...note] : [])].join('\n');
}

/** `1a2b3c4d5e 2026-01-02 Ada: More faces (main, origin/main, tag v1)` */
function headOf({ commit, date, author, subject, refs }: LogCommit): string {
  const names = refs.length === 0 ? '' : ` (${refs.map((ref) => visible(shortRef(ref))).join(', ')})`;
  return `${commit.slice(0, 10)} ${date.slice(0, 10)} ${visible(author.name)}: ${visible(subject)}${names}`;
}

function shortRef(ref: string): string {
  return ref.startsWith('refs/tags/') ? `tag ${ref.slice(10)}` : ref.replace(/^refs\/(?:heads|remotes)\//, '');
}

function outLines(out: LogOut, verbose: boolean): string[] {
  const { project, target, path, before, after, stat, made, remote } = out;
  const name = `${visible(`${project}:${target}`)}  ${visible(path)}`;
  const states = Object.entries(remote).map(([at, state]) => `${visible(at)} ${state}`);
  const size = after === null ? 'deleted' : `${plural(after.files, 'file')}, ${formatBytes(after.bytes)}`;
  const change = {
    files: (after?.files ?? 0) - (before?.files ?? 0),
    bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0),
  };
  const digest = after === null ? [] : [verbose ? after.digest : shortenDigests(after.digest)];
  const delta =
    before === null ? 'new' : `${signed(change.files, formatCount)} files, ${signed(change.bytes, formatBytes)}`;
  return [
    [`${name}  ${size} (${delta})`, ...digest, ...states].join('  '),
    ...(stat === null ? [] : [`  ${statText(stat)}`]),
    ...(made === null ? [] : [`  ${madeText(made, verbose)}`]),
  ];
}

function statText({ added, deleted, modified, renamed, bytesAdded, bytesDeleted }: ChangeCount): string {
  const counts = Object.entries({ added, deleted, modified, renamed }).filter(([, count]) => count > 0);
  const files = counts.map(([what, count]) => `${formatCount(count)} ${what}`).join(', ') || 'no file changed';
  return `${files}; +${formatBytes(bytesAdded)} -${formatBytes(bytesDeleted)}`;
}

/** `made 2026-01-02T03:04:05.678Z in 12 s on host, run 42` */
function madeText({ at, ms, by }: NonNullable<LogOut['made']>, verbose: boolean): string {
  const took = ms === 0 ? '' : ` in ${formatDuration(ms)}`;
  const host = by?.host === undefined ? '' : ` on ${visible(by.host)}`;
  const run = by?.run === undefined ? '' : `, run ${visible(by.run)}`;
  const more = verbose && by !== null ? ['repository', 'commit'].flatMap((key) => moreOf(key, by)).join('') : '';
  return `made ${at}${took}${host}${run}${more}`;
}

function moreOf(key: string, by: object): string[] {
  const value: unknown = Reflect.get(by, key);
  return typeof value === 'string' ? [`, ${key} ${visible(value)}`] : [];
}

function signed(value: number, format: (value: number) => string): string {
  return `${value < 0 ? '-' : '+'}${format(Math.abs(value))}`;
}
