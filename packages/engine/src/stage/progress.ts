import type { Emit, Phase } from '../events.js';
import type { BeginProgress } from '../util/progress.js';

/** Events at most this often; the last one of a phase always comes. */
const EVERY_FILES = 200;

/** Tells how far bulk work has come; the last event has the total that was promised. */
export function progress(emit: Emit, phase: Phase, subject: string): BeginProgress {
  return (totalFiles, totalBytes) => {
    let files = 0;
    let bytes = 0;
    let told = 0;
    return (moreFiles, moreBytes) => {
      files += moreFiles;
      bytes += moreBytes;
      if (files - told < EVERY_FILES && files < totalFiles) return;
      told = files;
      emit({ type: 'progress', phase, subject, files, totalFiles, bytes, totalBytes });
    };
  };
}
