/** The process that the action is: everything that it knows of the world outside comes in here. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the directory that relative paths begin at: that of the checkout. */
  readonly cwd: string;
  /** The log of the step. */
  readonly write: (text: string) => void;
  /** Signals; the runner sends SIGINT, 7.5 s later SIGTERM, and kills after 2.5 s more. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}
