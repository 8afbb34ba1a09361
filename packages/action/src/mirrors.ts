import { type Engine, SluiceError } from '@sluice/engine';
import type { Inputs } from './inputs.js';

/** The names of the remotes that get all that is pushed. `undefined` where the step names one at most: each out goes to its own then. Throws `ERR_USAGE` for one that is not configured. */
export function mirrorsOf(
  engine: Pick<Engine, 'remotes'>,
  { remote, fartherRemotes }: Pick<Inputs, 'remote' | 'fartherRemotes'>,
): string[] | undefined {
  if (remote === undefined || fartherRemotes.length === 0) return undefined;
  const known = engine.remotes();
  // The engine was opened with the first one as the default remote, which may be a URL.
  const nearest = known.find((one) => one.default)?.name ?? remote;
  const others = fartherRemotes.map((word) => {
    const found = known.find(({ name, url }) => name === word || url === word);
    if (found !== undefined) return found.name;
    throw new SluiceError('ERR_USAGE', `input remote: no remote is named ${JSON.stringify(word)}`, {
      hint: `Configured are: ${known.map(({ name }) => name).join(', ')}. Only the first may be a URL that is not.`,
    });
  });
  return [...new Set([nearest, ...others])];
}
