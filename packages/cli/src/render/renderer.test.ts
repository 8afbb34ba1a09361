import type { SluiceEvent } from '@sluice/engine';
import fc from 'fast-check';
import type { Globals } from '../globals.js';
import { createLines } from './lines.js';
import type { ProgressEvent } from './progress.js';
import { createRenderer } from './renderer.js';

function progress(files: number, totalFiles: number, rest: Partial<ProgressEvent> = {}): ProgressEvent {
  return { type: 'progress', phase: 'hashing', subject: 'data/x', files, totalFiles, bytes: 0, totalBytes: 0, ...rest };
}

/** What a renderer writes to stderr for some events. */
function rendered(
  events: readonly SluiceEvent[],
  globals: Globals = {},
  { isTTY = false, env = {} }: { readonly isTTY?: boolean; readonly env?: Record<string, string> } = {},
): string {
  let err = '';
  const stderr = { isTTY, columns: 120, write: (text: string) => (err += text) };
  const stdout = { write: () => undefined };
  const readInput = async (): Promise<string> => '';
  const io = { stdout, stderr, readInput, env, cwd: '/', signal: new AbortController().signal };
  const renderer = createRenderer(io, globals);
  for (const event of events) renderer.emit(event);
  renderer.end();
  return err;
}

const EVENTS: readonly SluiceEvent[] = [
  { type: 'warning', code: 'ERR_REMOTE_DOWN', message: 'remote x is down', hint: 'Try again.' },
  { type: 'note', message: 'took p:t over' },
  { type: 'waiting', stage: 'p:t', what: 'another process' },
  { type: 'decision', stage: 'p:t', decision: 'run', reasons: [{ kind: 'new', name: '', before: null, after: null }] },
  { type: 'output', stage: 'p:t', stream: 'stdout', text: 'epoch 1\n' },
];

test('events become lines, and how many depends on what was asked for', () => {
  const warning = 'warning: remote x is down\n  Try again.\n';
  expect(rendered(EVENTS, { quiet: true })).toBe(warning);
  expect(rendered(EVENTS)).toBe(`${warning}took p:t over\np:t: waiting for another process\nepoch 1\n`);
  expect(rendered(EVENTS, { verbose: true })).toContain('p:t running: nothing committed yet\n');
});

test('--events prints each event as a line of JSON and nothing else', () => {
  const all = [...EVENTS, progress(1, 2)];
  const lines = rendered(all, { events: true, json: true }).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(all);
});

test('without a terminal a phase that ends soon is not told about', () => {
  expect(rendered([progress(5, 10), progress(10, 10)])).toBe('');
});

test('a line comes every few seconds, and the last one has the total', () => {
  let now = 0;
  let text = '';
  const lines = createLines({ write: (line) => (text += line) }, () => now);
  for (let files = 0; files <= 100; files += 10) {
    lines.show(progress(files, 100, { bytes: files * 1024 }));
    now += 1000;
  }
  expect(text.trimEnd().split('\n')).toEqual([
    'hashing data/x: 30 of 100 files, 30.0 KiB',
    'hashing data/x: 60 of 100 files, 60.0 KiB',
    'hashing data/x: 90 of 100 files, 90.0 KiB',
    'hashing data/x: 100 of 100 files, 100.0 KiB',
  ]);
});

const TERMINAL = { isTTY: true };

test('on a terminal a bar ends at exactly its total and leaves the screen', () => {
  const text = rendered([progress(1, 10), progress(10, 10)], {}, TERMINAL);
  expect(text).toContain('10 of 10 files');
  // Shows the cursor again.
  expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
});

test('whatever the steps are, each bar ends at its total', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), (phases) => {
      const events = phases.flatMap((sizes, phase) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        let done = 0;
        return sizes.map((size) => {
          done += size;
          return progress(done, total, { subject: `out ${phase}` });
        });
      });
      const text = rendered(events, {}, TERMINAL);
      for (const [phase, sizes] of phases.entries()) {
        const total = sizes.reduce((sum, size) => sum + size, 0).toLocaleString('en-US');
        const last = text.slice(text.lastIndexOf(`hashing out ${phase} `));
        expect(last).toMatch(new RegExp(`^hashing out ${phase} \\[=+\\] ${total} of ${total} files`));
      }
    }),
    { numRuns: 30 },
  );
});

test('work whose size is not known yet has no bar', () => {
  const text = rendered([progress(3, 0), progress(7, 9)], {}, TERMINAL);
  expect(text).toContain('hashing data/x: 3 files');
  expect(text).toMatch(/\[[=-]+\] 7 of 9 files/);
});

test.each<[Globals, Record<string, string>]>([
  [{ progress: false }, {}],
  [{ quiet: true }, {}],
  [{ json: true }, {}],
  [{}, { CI: 'true' }],
  [{}, { GITHUB_ACTIONS: 'true' }],
  [{}, { TERM: 'dumb' }],
])('no bar with %j and %j', (globals, env) => {
  expect(rendered([progress(1, 10), progress(10, 10)], globals, { isTTY: true, env })).toBe('');
});
