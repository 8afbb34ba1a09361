import type { SluiceEvent } from '@sluice/engine';

/** How far a phase has come. */
export type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

/** Shows how far bulk work has come. */
export interface Progress {
  show(event: ProgressEvent): void;
  /** Makes room for another line. */
  clear(): void;
}

/** The last event of a phase. A total of 0 is not known yet. */
export function isLast({ files, totalFiles }: ProgressEvent): boolean {
  return totalFiles > 0 && files >= totalFiles;
}
