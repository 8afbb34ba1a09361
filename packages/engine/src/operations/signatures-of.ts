import { SluiceError } from '../errors.js';
import type { Emit } from '../events.js';
import { openSignatures, parseSigningKeys, type Signatures } from '../remote/signatures.js';
import { brokerAccess, SIGNING_KEY } from '../remote/storage/broker/access.js';
import { type Environment, strictest } from '../workspace/config.js';
import type { Trust } from '../workspace/config-file.js';

/**
 * What a remote's claims need. Behind a broker that is up to the broker, as far as records go; maps that have to be signed prove nothing there, because only the broker has
 * the keys. Throws `ERR_SIGNING_KEY` where somebody asks for `strict` and there is no key, or one that cannot be used.
 */
export function signaturesOf(
  settings: { readonly name: string; readonly trust?: Trust | undefined },
  { trust, env }: { readonly trust: Trust; readonly env: Environment },
): Signatures {
  const isStrict = strictest(trust, settings.trust) === 'strict';
  const access = brokerAccess(env);
  if (access !== undefined) return openSignatures([], { records: false, maps: isStrict || access.isStrict });
  const keys = parseSigningKeys(env[SIGNING_KEY]);
  if (!isStrict || keys.length > 0) return openSignatures(keys, { records: isStrict, maps: isStrict });
  throw new SluiceError(
    'ERR_SIGNING_KEY',
    `trust is strict for remote ${settings.name}, and ${SIGNING_KEY} is not set`,
    {
      hint: `Set ${SIGNING_KEY} to the key of your team, in CI from a secret; where there is none, leave "strict" away.`,
    },
  );
}

/** Says in a warning, once for each, which record or map of a remote is not believed, and why. Who has no key cannot tell good signatures from bad ones; the broker does. */
export function tellRefused(
  name: string,
  { canSign }: Pick<Signatures, 'canSign'>,
  emit: Emit,
): (problem: SluiceError) => void {
  const told = new Set<string>();
  return ({ code, message, hint }) => {
    if (told.has(message) || (code === 'ERR_SIGNATURE' && !canSign)) return;
    told.add(message);
    const what = `remote ${name} is not believed: ${message}`;
    emit({ type: 'warning', code, message: what, ...(hint === undefined ? {} : { hint }) });
  };
}
