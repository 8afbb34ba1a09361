import { errnoOf, SluiceError } from '../../../errors.js';
import type { DownDetails } from '../retry.js';
import type { HttpProxy } from './proxies.js';

const CERTIFICATE = /CERT|UNABLE_TO_VERIFY|SELF_SIGNED/;
const PASSING = new Set([408, 425, 429]);

/** The error for a proxy to which there is no connection. */
export function proxyDown({ name, variable }: HttpProxy, error: unknown): SluiceError {
  const errno = errnoOf(error);
  if (errno !== undefined && CERTIFICATE.test(errno)) {
    return new SluiceError('ERR_REMOTE_DENIED', `the certificate of the proxy ${name} is not trusted (${errno})`, {
      cause: error,
      hint: 'If it has a certificate of its own, name its authority in NODE_EXTRA_CA_CERTS.',
    });
  }
  const why = errno ?? (error instanceof Error ? error.message : String(error));
  return new SluiceError('ERR_REMOTE_DOWN', `the proxy ${name} does not answer (${why})`, {
    cause: error,
    hint: `Check that it runs, or correct ${variable}; what can be reached without it is named in NO_PROXY.`,
    // No such host: that will not change in the next seconds.
    ...(errno === 'ENOTFOUND' ? { details: { silent: true } satisfies DownDetails } : {}),
  });
}

/** The error for a proxy that answers by itself instead of letting a request through. */
export function proxyRefuses({ name, variable, authorization }: HttpProxy, status: number, to: string): SluiceError {
  if (status === 407) {
    const what = authorization === undefined ? 'wants credentials' : `does not accept the credentials in ${variable}`;
    return new SluiceError('ERR_REMOTE_DENIED', `the proxy ${name} ${what} (407)`, {
      hint: `Write them into ${variable} as http://user:password@host:port, with %-codes for special characters. Only basic authentication is supported.`,
    });
  }
  if (status >= 500 || PASSING.has(status)) {
    return new SluiceError('ERR_REMOTE_DOWN', `the proxy ${name} does not reach ${to} (${status})`, {
      hint: `Check that ${to} is right and that the proxy may go there; what can be reached without it is named in NO_PROXY.`,
    });
  }
  return new SluiceError('ERR_REMOTE_DENIED', `the proxy ${name} lets nothing through to ${to} (${status})`, {
    hint: 'Ask who runs it to allow that address, or name the host in NO_PROXY if it can be reached without a proxy.',
  });
}
