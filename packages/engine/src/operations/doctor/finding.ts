import type { Stage } from '../../stage/stage.js';
import type { Config } from '../../workspace/config.js';
import type { TextFiles } from '../../workspace/text-files.js';

/** What is looked at; `docs/commands.md` describes each. */
export type DoctorCheck =
  | 'workspace'
  | 'configuration'
  | 'preparation'
  | 'project'
  | 'stage'
  | 'lock'
  | 'remote'
  | 'signing-key'
  | 'merge-driver'
  | 'git-tracked'
  | 'not-ignored'
  | 'nx-reads'
  | 'nx-cache'
  | 'order'
  | 'versions'
  | 'reflink'
  | 'clock'
  | 'file-system';

/** Something that is not as it should be, with what can be done about it. */
export interface DoctorFinding {
  readonly check: DoctorCheck;
  /** A `problem` makes something fail, slow or wrong; a `note` is worth knowing. */
  readonly level: 'problem' | 'note';
  /** A path, a stage or a package. */
  readonly subject: string;
  readonly message: string;
  /** A sentence. */
  readonly fix: string;
  /** Whether `--fix` does it: only what takes nothing away. */
  readonly fixable: boolean;
  readonly fixed: boolean;
}

/** A finding, and how to repair it where that is safe. */
export interface Diagnosis extends Omit<DoctorFinding, 'fixable' | 'fixed'> {
  readonly repair?: () => void | Promise<void>;
}

/** What the checks look at. */
export interface Patient {
  readonly root: string;
  readonly files: TextFiles;
  readonly config: Config;
  /** Those whose declarations can be used. */
  readonly stages: readonly Stage[];
  readonly signal: AbortSignal | undefined;
}
