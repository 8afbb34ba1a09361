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
  readonly isTTY?: boolean;
  /** Width of a terminal, in characters. */
  readonly columns?: number;
}
