import { resolve } from 'node:path';
import type { Engine, EngineOptions } from '@sluice/engine';
import { findWorkspaceRoot, SluiceError } from '@sluice/engine';
import type { Globals } from './globals.js';
import type { Io } from './io.js';
import { createRenderer } from './render/renderer.js';

/** Opens an engine; the real one, or a test's. */
export type OpenEngine = (options: EngineOptions) => Promise<Engine>;

/** How a command is carried out: its action says what is to be done on an engine. */
export type Execute = (command: (engine: Engine, globals: Globals) => Promise<Report>) => Promise<void>;

/** A document of `--json`, and the same for a person. */
export interface Report {
  readonly json: object;
  readonly text: string;
  /** Exit code, where it is not 0 although nothing failed. */
  readonly exitCode?: number;
}

/**
 * Opens the engine on the workspace of `--cwd`, runs one command on it and prints its report. Returns the exit code. Throws `ERR_WORKSPACE` if there is
 * no workspace, and what the command throws.
 */
export async function runOnEngine(
  io: Io,
  globals: Globals,
  openEngine: OpenEngine,
  command: (engine: Engine, globals: Globals) => Promise<Report>,
): Promise<number> {
  const from = resolve(io.cwd, globals.cwd ?? '.');
  const root = findWorkspaceRoot(from);
  if (root === undefined) {
    throw new SluiceError('ERR_WORKSPACE', `there is no nx.json at or above ${from}`, {
      hint: 'Go into an Nx workspace, or name one with --cwd.',
    });
  }
  const renderer = createRenderer(io, globals);
  const engine = await openEngine({
    root,
    env: io.env,
    emit: renderer.emit,
    signal: io.signal,
    ...(globals.offline === true ? { offline: true } : {}),
  });
  try {
    const report = await command(engine, globals);
    renderer.end();
    print(io, globals, report);
    return report.exitCode ?? 0;
  } finally {
    renderer.end();
    await engine.close();
  }
}

function print(io: Io, globals: Globals, { json, text }: Report): void {
  if (globals.json === true) io.stdout.write(`${JSON.stringify({ schema: 1, ...json }, undefined, 2)}\n`);
  else if (globals.quiet !== true && text !== '') io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
