import { SluiceError } from '../errors.js';
import type { OutRoot } from '../model/root.js';
import { formatBytes, plural } from '../text/index.js';
import { type StageId, stageName } from './stage.js';

/** An out whose data is wanted. */
interface WantedOut {
  readonly stage: { readonly id: StageId };
  readonly out: { readonly path: string };
  readonly root: OutRoot;
}

/**
 * Fetches roots for outs. What is said of a root that cannot be had is said of its out then: with its size, and with the command that brings it, also in `details` as `files`, `bytes`,
 * `path` and `command` besides `digest` and `remotes`. Throws what the fetch throws, with the same code.
 */
export async function namingOuts<T>(wanted: readonly WantedOut[], fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetch();
  } catch (error) {
    if (!(error instanceof SluiceError) || (error.exitCode !== 3 && error.exitCode !== 4)) throw error;
    const about = wanted.find(({ root }) => root.digest === error.details?.digest);
    throw about === undefined ? error : named(error, about);
  }
}

function named(error: SluiceError, { stage, out, root }: WantedOut): SluiceError {
  const name = stageName(stage.id);
  const command = `sluice fetch ${name}`;
  const { files, bytes } = root;
  const size = `${plural(files, 'file')}, ${formatBytes(bytes)}`;
  return new SluiceError(error.code, `${error.message}: ${out.path} of ${name} (${size})`, {
    cause: error,
    hint: [...(error.hint === undefined ? [] : [error.hint]), `It is brought by: ${command}`].join(' '),
    details: { ...error.details, path: out.path, files, bytes, command },
  });
}
