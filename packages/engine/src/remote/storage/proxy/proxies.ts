import { SluiceError } from '../../../errors.js';
import { isExcluded, isNear, withoutBrackets } from './no-proxy.js';

/** Where a request goes. */
export interface Target {
  readonly protocol: 'http:' | 'https:';
  /** A name or an address; one of IPv6 with or without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A proxy that the environment names. */
export interface HttpProxy {
  readonly isTls: boolean;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** For `Proxy-Authorization`: a secret. */
  readonly authorization: string | undefined;
  /** Its address for messages, without what may be a secret, and the variable that names it: `http://proxy:3128 (HTTPS_PROXY)`. */
  readonly name: string;
  readonly variable: string;
}

/** Which requests go through which proxy. */
export interface Proxies {
  /** `undefined`: straight there. Throws `ERR_CONFIG` for a variable that names no proxy that can be used. */
  proxyFor(target: Target): HttpProxy | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxies of an environment, by the rules of curl: `https_proxy` or `http_proxy` by the scheme of the target, else `all_proxy`; hosts in `no_proxy` are excepted. Each may be written in
 * capitals; if both are set, the small letters count. What is on this machine and what is on its link, such as the metadata of an instance, is never asked for through a
 * proxy. `undefined` if no variable names one.
 */
export function readProxies(env: Environment): Proxies | undefined {
  const ofHttps = variableOf(env, 'https_proxy', 'all_proxy');
  const ofHttp = variableOf(env, 'http_proxy', 'all_proxy');
  if (ofHttps === undefined && ofHttp === undefined) return undefined;
  const excluded = env.no_proxy || env.NO_PROXY || '';
  return {
    proxyFor: ({ protocol, host, port }) => {
      const variable = protocol === 'https:' ? ofHttps : ofHttp;
      if (variable === undefined || isNear(host) || isExcluded(excluded, host, port)) return undefined;
      return parseProxy(variable.name, variable.text);
    },
  };
}

/** The target of a URL with `http:` or `https:`. */
export function targetOf({ protocol, hostname, port }: URL): Target {
  const isTls = protocol === 'https:';
  return { protocol: isTls ? 'https:' : 'http:', host: hostname, port: Number(port) || (isTls ? 443 : 80) };
}

interface Variable {
  readonly name: string;
  readonly text: string;
}

function variableOf(env: Environment, ...names: readonly string[]): Variable | undefined {
  return names
    .flatMap((name) => [name, name.toUpperCase()])
    .flatMap((name) => ({ name, text: env[name]?.trim() ?? '' }))
    .find(({ text }) => text !== '');
}

/** Nothing of the text is shown: it may hold a password, wherever that stands. */
function parseProxy(variable: string, text: string): HttpProxy {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || url.hostname === '') throw unusable(variable, 'is no address of a proxy');
  const { protocol, hostname, username, password } = url;
  if (protocol !== 'http:' && protocol !== 'https:')
    throw unusable(variable, `names a proxy of the kind ${protocol}, which is not supported`);
  const isTls = protocol === 'https:';
  // As curl does, though what the world listens on is mostly 3128 or 8080.
  const port = Number(url.port) || (isTls ? 443 : 80);
  const keys = username === '' && password === '' ? undefined : `${decoded(username)}:${decoded(password)}`;
  return {
    isTls,
    host: withoutBrackets(hostname),
    port,
    authorization: keys === undefined ? undefined : `Basic ${Buffer.from(keys).toString('base64')}`,
    name: `${protocol}//${hostname}:${port} (${variable})`,
    variable,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unusable(variable: string, problem: string): SluiceError {
  return new SluiceError('ERR_CONFIG', `the variable ${variable} ${problem}`, {
    hint: `Set it as http://host:port or https://host:port, or name what needs no proxy in NO_PROXY.`,
  });
}
