import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endRun } from './end-run.js';
import { NOTES_VARIABLE, noteTask, writeNotes } from './task-note.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-end-'));
  mkdirSync(join(root, 'p'));
  writeFileSync(join(root, 'nx.json'), '{}');
});

afterEach(() => rmSync(root, { recursive: true }));

test('an out that a later stage put in place is not told of as left', async () => {
  writeFileSync(join(root, 'p/brought'), '');
  const notes = join(root, '.sluice/runs/1');
  const note = {
    project: 'p',
    target: 't',
    configuration: null,
    outcome: 'unchanged',
    reasons: [],
    files: 0,
    bytes: 0,
  } as const;
  const rest = { source: null, receivedBytes: 0, savedMs: 0, ms: 1, error: null };
  noteTask({ [NOTES_VARIABLE]: notes }, { ...note, ...rest, referenceOnly: ['p/brought', 'p/left'] });
  writeNotes();
  const summary = await endRun({ root, notes, startTime: 0, endTime: 1 }, {});
  expect(summary).toContain('1 out left reference-only, since no stage that ran reads it;');
});
