import type { Reason } from './model/reason.js';

/** What bulk work is doing, for a bar or a line. */
export type Phase = 'hashing' | 'writing files' | 'sending' | 'receiving' | 'checking' | 'marking' | 'collecting';

/**
 * Everything that the engine tells while it works. It never prints: text, JSON lines and the output of Nx are renderers of this union.
 * `stage` is `project:target`. Times are milliseconds, sizes bytes.
 */
export type SluiceEvent =
  /** A stage waits for another process that holds it. */
  | { readonly type: 'waiting'; readonly stage: string; readonly what: string }
  /** What will be done about a stage and why; `reasons` is empty for an unchanged one. */
  | {
      readonly type: 'decision';
      readonly stage: string;
      readonly decision: 'unchanged' | 'restore' | 'run' | 'commit';
      readonly reasons: readonly Reason[];
    }
  /** A piece of what the stage's command printed. */
  | { readonly type: 'output'; readonly stage: string; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** How far a phase has come; the last one of a phase has `files === totalFiles`. A total of 0 is not known yet. */
  | {
      readonly type: 'progress';
      readonly phase: Phase;
      readonly subject: string;
      readonly files: number;
      readonly totalFiles: number;
      readonly bytes: number;
      readonly totalBytes: number;
    }
  /** Something worth knowing that does not stop the work. `code` is that of the error it comes from, where there is one. */
  | { readonly type: 'warning'; readonly code?: string; readonly message: string; readonly hint?: string }
  /** Something that was done besides what was asked, such as taking over from a process that died. */
  | { readonly type: 'note'; readonly message: string };

/** Receives events; must not throw. */
export type Emit = (event: SluiceEvent) => void;
