import { asSluiceError, errnoOf, SluiceError } from '../../errors.js';
import { digestFromRaw, shortDigest } from '../../model/digest.js';
import type { ObjectKind } from '../layout.js';

/** What can be damaged in a store. */
export type DamagedKind = ObjectKind | 'pack' | 'record' | 'note' | 'workspace';

/** Something in the store that is not as it should be. */
export interface Damage {
  readonly kind: DamagedKind;
  /** A digest, or the path of a file. */
  readonly name: string;
  /** Raw digest of an object that a sound copy can take the place of. */
  readonly raw?: Buffer | undefined;
  readonly problem: SluiceError;
}

/** A damaged object. */
export function damagedObject(kind: ObjectKind, raw: Buffer, where: string, what: string): Damage {
  const key = Buffer.from(raw);
  const digest = digestFromRaw(key);
  const problem = new SluiceError('ERR_OBJECT_DAMAGED', `${kind} ${shortDigest(digest)} in ${where} ${what}`, {
    hint: 'Run `sluice verify --repair` to fetch it again from a remote, or run the stage again.',
    details: { digest },
  });
  return { kind, name: digest, raw: key, problem };
}

/** What a failed read says about an object; `undefined` if it is merely gone. Anything but a read error is thrown on. */
export function readProblem(error: unknown): string | undefined {
  const code = errnoOf(error);
  if (code === 'ENOENT') return undefined;
  if (code === 'EIO' || code === 'EACCES' || code === 'EPERM') return `cannot be read (${code})`;
  throw asSluiceError(error);
}
