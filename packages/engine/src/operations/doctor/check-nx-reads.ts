import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { throwIfAborted } from '../../errors.js';
import { compareUtf8, isWithin, type RelPath, ROOT, tryParseRelPath } from '../../model/path.js';
import { formatBytes, plural } from '../../text/format.js';
import { ignoreRulesIn } from '../../workspace/find-project-files.js';
import { type IgnoreRules, isIgnored } from '../../workspace/ignore-rules.js';
import type { Diagnosis, Patient } from './finding.js';

/** Each file of this size costs every start of Nx that much memory; one that is ten times as large, seconds as well. */
const NOTED_BYTES = 10 * 1024 * 1024;
const PROBLEM_BYTES = 10 * NOTED_BYTES;

/** Files that are named; of the others only the number is told. */
const SHOWN = 20;

/** What Nx never looks into. */
const SKIPPED = ['node_modules', '.git', '.nx', '.sluice', '.yarn'];

interface BigFile {
  readonly path: RelPath;
  readonly bytes: number;
}

/** Finds big files that Nx reads whole into memory, since nothing ignores them. Outs of stages are not told again here. */
export function checkNxReads(patient: Patient): Diagnosis[] {
  const outs = patient.stages.flatMap((stage) => stage.outs.filter(({ cache }) => cache).map(({ path }) => path));
  const found = [...bigFiles(patient)].filter(({ path }) => !outs.some((out) => isWithin(path, out)));
  found.sort((a, b) => b.bytes - a.bytes || compareUtf8(a.path, b.path));
  const named = found.slice(0, SHOWN).map(({ path, bytes }) => diagnosis(path, bytes, `has ${formatBytes(bytes)}`));
  const rest = found.slice(SHOWN);
  if (rest.length === 0) return named;
  const bytes = rest.reduce((sum, file) => sum + file.bytes, 0);
  return [...named, diagnosis('.', bytes, `holds ${plural(rest.length, 'other big file')} of ${formatBytes(bytes)}`)];
}

function diagnosis(subject: string, bytes: number, size: string): Diagnosis {
  return {
    check: 'nx-reads',
    level: bytes >= PROBLEM_BYTES ? 'problem' : 'note',
    subject,
    message: `${size}, and Nx reads it whole into memory whenever it looks for changes`,
    fix: 'Make it a dataset (nx g @sluice/nx:dataset), or add it to .nxignore if no task of Nx reads it.',
  };
}

function* bigFiles({ root, files, signal }: Patient): Generator<BigFile> {
  const pending: { readonly dir: RelPath; readonly inherited: IgnoreRules | undefined }[] = [
    { dir: ROOT, inherited: undefined },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    throwIfAborted(signal);
    const { dir, inherited } = next;
    const names = files.list(dir);
    const rules = ignoreRulesIn(files.read, dir, names, inherited);
    for (const name of names) {
      const isDirectory = name.endsWith('/');
      const plain = isDirectory ? name.slice(0, -1) : name;
      const path = tryParseRelPath(dir === '' ? plain : `${dir}/${plain}`);
      if (path === undefined || (isDirectory && SKIPPED.includes(plain)) || isIgnored(rules, path, isDirectory))
        continue;
      if (isDirectory) pending.push({ dir: path, inherited: rules });
      else {
        const bytes = lstatSync(join(root, path), { throwIfNoEntry: false })?.size ?? 0;
        if (bytes >= NOTED_BYTES) yield { path, bytes };
      }
    }
  }
}
