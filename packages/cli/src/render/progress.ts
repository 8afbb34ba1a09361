import type { SluiceEvent } from '@sluice/engine';

/** How far a phase has come. */
export type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

/** Shows how far bulk work has come. */
export interface Progress {
  show(event: ProgressEvent): void;
  /** Makes room for another line. */
  clear(): void;
}
