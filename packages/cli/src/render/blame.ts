import { type BlamedFile, type BlameReport, formatBytes, visible } from '@sluice/engine';
import { table } from './table.js';

/** A line per file: commit, day, author, size, path, subject. A caret stands before a commit that may not be the last one. */
export function blameText({ files }: BlameReport): string {
  if (files.length === 0) return 'no file is meant';
  return table(files.map(rowOf)).join('\n');
}

function rowOf({ commit, orEarlier, out, path, bytes }: BlamedFile): string[] {
  const name = visible(path === '' ? out : `${out}/${path}`);
  const when =
    commit === null
      ? ['not committed', '', '']
      : [hashOf(commit.commit, orEarlier), commit.date.slice(0, 10), visible(commit.author.name)];
  return [...when, formatBytes(bytes), name, commit === null ? '' : visible(commit.subject)];
}

function hashOf(commit: string, orEarlier: boolean): string {
  return orEarlier ? `^${commit.slice(0, 9)}` : commit.slice(0, 10);
}
