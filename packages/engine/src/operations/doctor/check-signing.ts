import { parseSigningKeys } from '../../remote/signatures.js';
import { brokerAccess, SIGNING_KEY } from '../../remote/storage/broker/access.js';
import { type Environment, strictest } from '../../workspace/config.js';
import { failure, failureOf } from './check-declarations.js';
import type { Diagnosis, Patient } from './finding.js';

/** Finds that the signatures which trust asks for can be neither checked nor made here. A process with a broker needs no key: the broker has it. */
export function checkSigning({ config }: Pick<Patient, 'config'>, env: Environment): Diagnosis[] {
  if (config.remotes.size === 0 || brokerAccess(env) !== undefined) return [];
  const keys = env[SIGNING_KEY];
  const unusable = failureOf(() => parseSigningKeys(keys));
  if (unusable !== undefined) return [failure('signing-key', SIGNING_KEY, unusable)];
  if (parseSigningKeys(keys).length > 0) return [];
  const strict = [...config.remotes.values()].filter(({ trust }) => strictest(config.trust, trust) === 'strict');
  if (strict.length === 0) return [];
  const names = strict.map(({ name }) => name).join(', ');
  return [
    {
      check: 'signing-key',
      level: 'problem',
      subject: names,
      message: `trust is strict, so only what is signed counts there, and ${SIGNING_KEY} is not set: whatever needs ${names} ends with ERR_SIGNING_KEY`,
      fix: `Set ${SIGNING_KEY} to the key of your team, in CI from a secret; a first one comes from openssl rand -hex 32. Without a key, leave "strict" out of sluice.json, sluice.local.json and SLUICE_TRUST.`,
    },
  ];
}
