import { fileURLToPath } from 'node:url';
import type { Io } from '../io.js';
import { main } from '../main.js';
import { type FakeEngine, fakeEngine } from './fake-engine.js';

/** How a command line ended, and what it printed. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A directory in the workspace of this repository, which has an `nx.json`. */
export const HERE: string = fileURLToPath(new URL('.', import.meta.url)).replace(/[\\/]$/, '');

/** Runs one command line in this process, on a fake engine unless told otherwise. */
export async function runMain(
  argv: readonly string[],
  {
    engine = fakeEngine(),
    ...rest
  }: { readonly engine?: FakeEngine } & Partial<Pick<Io, 'env' | 'signal' | 'readInput'>> = {},
): Promise<Ended> {
  let out = '';
  let err = '';
  const io: Io = {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    readInput: async () => '',
    env: {},
    cwd: HERE,
    signal: new AbortController().signal,
    ...rest,
  };
  const code = await main(argv, io, engine.open, '1.2.3');
  return { code, out, err };
}
