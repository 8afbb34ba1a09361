import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import type { OutRoot } from '../model/root.js';
import type { LostRoot } from '../remote/lost-roots.js';
import { formatBytes, plural } from '../text/index.js';
import { type Stage, type StageId, stageName } from './stage.js';

/** An out whose data is wanted. */
interface WantedOut {
  readonly stage: { readonly id: StageId };
  readonly out: { readonly path: string };
  readonly root: OutRoot;
}

/** An out that is moved with others. */
interface MovedOut extends WantedOut {
  readonly stage: Pick<Stage, 'id' | 'command'>;
}

/** Outs that are named behind the first. */
const SHOWN = 5;

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

/**
 * The error for outs that could not be moved whole, each of them named: with its size, and with the command that takes what lies in the workspace into the store, where something does. `details.outs` says of
 * each why. `undefined` for none.
 */
export function lostOuts(
  lost: readonly LostRoot[],
  moved: readonly MovedOut[],
  workspaceRoot: string,
): SluiceError | undefined {
  const outs = lost.flatMap(({ root: { digest }, error }) =>
    moved.filter(({ root }) => root.digest === digest).map((about) => ({ about, error })),
  );
  const [first] = outs;
  if (first === undefined) return undefined;
  const { code, message, hint, details } = first.error;
  const others = outs.slice(1).map(({ about: { stage, out } }) => `${out.path} of ${stageName(stage.id)}`);
  const names = others.length > SHOWN ? [...others.slice(0, SHOWN), '…'] : others;
  const more = others.length === 0 ? '' : `; and ${others.length} more: ${names.join(', ')}`;
  const hints = [hint, fromPlace(first.about, workspaceRoot)].filter((one) => one !== undefined);
  return new SluiceError(code, `${message}: ${described(first.about)}${more}`, {
    cause: first.error,
    ...(hints.length === 0 ? {} : { hint: hints.join(' ') }),
    details: {
      ...details,
      outs: outs.map(({ about: { stage, out, root }, error }) => ({
        project: stage.id.project,
        target: stage.id.target,
        path: out.path,
        digest: root.digest,
        code: error.code,
        message: error.message,
      })),
    },
  });
}

function fromPlace({ stage, out }: MovedOut, workspaceRoot: string): string | undefined {
  if (!existsSync(join(workspaceRoot, out.path))) return undefined;
  const command = `sluice commit ${stage.command === undefined ? '' : '--force '}${stageName(stage.id)}`;
  return `What lies at ${out.path} gets into the store by: ${command}`;
}

function named(error: SluiceError, about: WantedOut): SluiceError {
  const { stage, out, root } = about;
  const name = stageName(stage.id);
  const command = `sluice fetch ${name}`;
  const { files, bytes } = root;
  return new SluiceError(error.code, `${error.message}: ${described(about)}`, {
    cause: error,
    hint: [...(error.hint === undefined ? [] : [error.hint]), `It is brought by: ${command}`].join(' '),
    details: { ...error.details, path: out.path, files, bytes, command },
  });
}

function described({ stage, out, root: { files, bytes } }: WantedOut): string {
  return `${out.path} of ${stageName(stage.id)} (${plural(files, 'file')}, ${formatBytes(bytes)})`;
}
