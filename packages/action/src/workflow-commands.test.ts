import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardOutput } from './guarded-output.js';
import { type WorkflowCommands, workflowCommands } from './workflow-commands.js';

interface Recorder {
  readonly write: (text: string) => void;
  readonly commands: WorkflowCommands;
  readonly text: () => string;
}

function recorder(env: Record<string, string> = {}): Recorder {
  let text = '';
  const write = (piece: string): void => {
    text += piece;
  };
  const host = { env, cwd: '/', write, signals: process };
  return { write, commands: workflowCommands(host), text: () => text };
}

test('a message or a path cannot end its command or begin another', () => {
  const { commands, text } = recorder();
  commands.annotate('error', 'a\n::set-output name=x::y\r%', { file: 'a,line=9::b.json', line: 3 });
  commands.mask('first\n\n second');
  expect(text()).toBe(
    '::error file=a%2Cline=9%3A%3Ab.json,line=3::a%0A::set-output name=x::y%0D%25\n::add-mask::first\n::add-mask:: second\n',
  );
});

test('values go to the files that the runner names, whatever they hold', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-'));
  try {
    const { commands, text } = recorder({ GITHUB_OUTPUT: join(dir, 'out') });
    commands.setOutput('a', '1\nb<<EOF\n2');
    commands.saveState('no file', 'x');
    expect(readFileSync(join(dir, 'out'), 'utf8')).toMatch(/^a<<(sluice-[\w-]+)\n1\nb<<EOF\n2\n\1\n$/);
    expect(text()).toBe('');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('what others print is passed on whole, between words that nobody can know', () => {
  const { write, text } = recorder();
  const guard = guardOutput(write);
  const bytes = Buffer.from('grün ::add-mask::x');
  for (const byte of bytes) guard.pass(Buffer.from([byte]));
  guard.end();
  guard.pass(Buffer.from('late'));
  expect(text()).toMatch(/^::stop-commands::(sluice-\w{48})\ngrün ::add-mask::x\n::\1::\n$/);
  const other = recorder();
  guardOutput(other.write).end();
  expect(other.text().split('\n')[0]).not.toBe(text().split('\n')[0]);
});
