import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Engine, type EngineOptions, findWorkspaceRoot, SluiceError } from '@sluice/engine';
import type { Call, Report } from './command.js';
import type { Globals } from './globals.js';
import type { Io } from './io.js';
import { jsonDocument } from './json.js';
import { pour } from './pour.js';
import { createRenderer } from './render/renderer.js';
import { createStrictness } from './strict.js';

/** Opens an engine; the real one, or a test's. */
export type OpenEngine = (options: EngineOptions) => Promise<Engine>;

/**
 * Opens the engine on the workspace of `--cwd`, runs one command on it and prints its report. Returns the exit code. Throws `ERR_USAGE` for a
 * directory that is none, `ERR_WORKSPACE` if there is no workspace, what the command throws, and the failure that its report names.
 */
export async function runOnEngine(
  io: Io,
  globals: Globals,
  openEngine: OpenEngine,
  run: (engine: Engine, call: Call) => Promise<Report>,
): Promise<number> {
  const cwd = resolve(io.cwd, globals.cwd ?? '.');
  const root = workspaceRoot(cwd);
  const renderer = createRenderer(io, globals);
  const strictness = createStrictness();
  const engine = await openEngine({
    root,
    env: io.env,
    emit: (event) => {
      strictness.watch(event);
      renderer.emit(event);
    },
    signal: io.signal,
    ...(globals.offline === true ? { offline: true } : {}),
  });
  try {
    const report = await run(engine, { globals, cwd, readInput: io.readInput });
    const failure = report.failure ?? (globals.strict === true ? strictness.failure() : undefined);
    renderer.end();
    // A failure is a document of its own, and `--json` prints one.
    if (globals.json !== true) {
      if (report.stream === undefined) printText(io, globals, report.text);
      else await pour(io.stdout, report.stream);
    }
    if (failure !== undefined) throw failure;
    if (globals.json === true) io.stdout.write(jsonDocument(report.json));
    return report.exitCode ?? 0;
  } finally {
    renderer.end();
    await engine.close();
  }
}

function workspaceRoot(cwd: string): string {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new SluiceError('ERR_USAGE', `--cwd: there is no directory ${cwd}`, {
      hint: 'Name a directory of an Nx workspace.',
    });
  }
  const root = findWorkspaceRoot(cwd);
  if (root !== undefined) return root;
  throw new SluiceError('ERR_WORKSPACE', `there is no nx.json at or above ${cwd}`, {
    hint: 'Go into an Nx workspace, or name one with --cwd.',
  });
}

function printText(io: Io, globals: Globals, text: string): void {
  if (globals.quiet === true || text === '') return;
  io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
