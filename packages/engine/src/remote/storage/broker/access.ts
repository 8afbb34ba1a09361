import { isAbsolute } from 'node:path';
import { SluiceError } from '../../../errors.js';

/** How a process reaches the broker that has the keys of its remotes. */
export interface BrokerAccess {
  /** Absolute path of a unix socket. */
  readonly socket: string;
  readonly token: string;
  /** The area that the broker writes in, whatever it is asked. */
  readonly area: string | undefined;
  /** It leaves out records that are not signed. */
  readonly isStrict: boolean;
}

const ADDRESS = 'SLUICE_BROKER';
const TOKEN = 'SLUICE_BROKER_TOKEN';
const AREA = 'SLUICE_BROKER_AREA';
const TRUST = 'SLUICE_BROKER_TRUST';
/** The keys that sign records and maps. */
export const SIGNING_KEY = 'SLUICE_SIGNING_KEY';

/** Variables that no command of a stage gets. */
const SECRETS: readonly string[] = [ADDRESS, TOKEN, AREA, TRUST, SIGNING_KEY];

type Environment = Readonly<Record<string, string | undefined>>;

/** The broker that an environment names; `undefined` where there is none. Throws `ERR_CONFIG`. */
export function brokerAccess(env: Environment): BrokerAccess | undefined {
  const { [ADDRESS]: address = '', [TOKEN]: token = '', [AREA]: area, [TRUST]: trust } = env;
  if (address === '') return undefined;
  const socket = address.startsWith('unix:') ? address.slice('unix:'.length) : '';
  if (isAbsolute(socket) && token !== '') return { socket, token, area, isStrict: trust === 'strict' };
  throw new SluiceError('ERR_CONFIG', `${ADDRESS} is ${JSON.stringify(address)}, or ${TOKEN} is empty`, {
    hint: `Remove ${ADDRESS}: the GitHub Action sets both for what it starts, and nothing else should.`,
  });
}

/** The variables that name a broker. */
export function brokerVariables({ socket, token, area, isStrict }: BrokerAccess): Record<string, string> {
  return {
    [ADDRESS]: `unix:${socket}`,
    [TOKEN]: token,
    ...(area === undefined ? {} : { [AREA]: area }),
    ...(isStrict ? { [TRUST]: 'strict' } : {}),
  };
}

/** An environment without what would let a command speak to the broker, or sign. */
export function withoutSecrets(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRETS.includes(name)));
}
