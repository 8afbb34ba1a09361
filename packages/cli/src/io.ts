/** What the command line needs of its process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Reads standard input to its end. */
  readonly readInput: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path. */
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** A stream of text. */
export interface Output {
  write(text: string): unknown;
  /** Writes bytes and waits until there is room for more; `false` if nobody reads any more. Without it they are written as text. */
  writeBytes?(bytes: Uint8Array): Promise<boolean>;
  readonly isTTY?: boolean;
  /** Width of a terminal, in characters. */
  readonly columns?: number;
}
