import { randomBytes } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';

/** Lets through what others print, while the runner obeys none of it. */
export interface GuardedOutput {
  /** Both streams of the child go in here: only on one stream is it certain what comes first. */
  readonly pass: (bytes: Buffer) => void;
  /** From now on the runner listens again. */
  end(): void;
}

/** Tells the runner to take no command from the log until it reads a word that nobody else knows. */
export function guardOutput(write: (text: string) => void): GuardedOutput {
  const word = `sluice-${randomBytes(24).toString('hex')}`;
  const decoder = new StringDecoder('utf8');
  let isOpen = true;
  let last = '\n';
  const forward = (text: string): void => {
    if (text === '' || !isOpen) return;
    last = text.slice(-1);
    write(text);
  };
  write(`::stop-commands::${word}\n`);
  return {
    pass: (bytes) => forward(decoder.write(bytes)),
    end: () => {
      forward(decoder.end());
      if (!isOpen) return;
      isOpen = false;
      // In the middle of a line the word would not be read.
      write(`${last === '\n' ? '' : '\n'}::${word}::\n`);
    },
  };
}
