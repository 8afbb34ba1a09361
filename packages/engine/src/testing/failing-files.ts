import { type Files, realFiles } from '../store/files.js';

/** A file layer in which calls can be made to fail. */
export interface FailingFiles {
  readonly files: Files;
  /** How many calls were made so far. */
  calls(): number;
  /** Which call fails, counted from now; the number of the first, and whether all after it fail too. */
  failAt(call: number, forGood: boolean, code: string): void;
  /** Whether a call has failed. */
  hasFailed(): boolean;
}

/** Wraps the real file system. Reads of `/proc`, by which processes are told apart, never fail. */
export function failingFiles(): FailingFiles {
  let count = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.POSITIVE_INFINITY;
  let code = 'EIO';
  let failed = false;
  const files = new Proxy(realFiles, {
    get(target, name, receiver) {
      const call: unknown = Reflect.get(target, name, receiver);
      if (typeof call !== 'function') return call;
      return (...args: unknown[]): unknown => {
        const exempt =
          String(args[0]).startsWith('/proc') || String(args[0]).startsWith('/etc') || name === 'closeSync';
        if (!exempt && ++count >= first && count <= last) {
          failed = true;
          throw Object.assign(new Error(`${code}: injected into ${String(name)}`), { code });
        }
        return Reflect.apply(call, target, args);
      };
    },
  });
  return {
    files,
    calls: () => count,
    failAt: (at, forGood, withCode) => {
      count = 0;
      first = at;
      last = forGood ? Number.POSITIVE_INFINITY : at;
      code = withCode;
      failed = false;
    },
    hasFailed: () => failed,
  };
}
