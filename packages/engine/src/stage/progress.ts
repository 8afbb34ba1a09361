import type { Emit, Phase } from '../events.js';

/** Events at most this often; the last one of a phase always comes. */
const EVERY_FILES = 200;

/** A counter for bulk work that tells how far it has come; the last event has the total that was promised. */
export function progress(
  emit: Emit,
  phase: Phase,
  subject: string,
  totalFiles: number,
  totalBytes: number,
): (files: number, bytes: number) => void {
  let doneFiles = 0;
  let doneBytes = 0;
  let told = 0;
  return (files, bytes) => {
    doneFiles += files;
    doneBytes += bytes;
    if (doneFiles - told < EVERY_FILES && doneFiles < totalFiles) return;
    told = doneFiles;
    emit({ type: 'progress', phase, subject, files: doneFiles, totalFiles, bytes: doneBytes, totalBytes });
  };
}
