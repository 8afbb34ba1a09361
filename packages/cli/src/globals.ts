/** Options that every command takes. */
export interface Globals {
  readonly cwd?: string;
  readonly json?: boolean;
  readonly events?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** `--no-progress` */
  readonly progress?: boolean;
  readonly offline?: boolean;
  readonly strict?: boolean;
}
