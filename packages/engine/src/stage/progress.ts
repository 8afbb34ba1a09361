import type { Emit, Phase } from '../events.js';
import type { BeginProgress } from '../util/progress.js';

/** Events at most this often: after so many files or so many bytes. The last one of a phase always comes. */
const EVERY_FILES = 200;
const EVERY_BYTES = 4 * 1024 * 1024;

/** Tells how far bulk work has come; the last event has the total that was promised. */
export function progress(emit: Emit, phase: Phase, subject: string): BeginProgress {
  return (totalFiles, totalBytes) => {
    let files = 0;
    let bytes = 0;
    let told = { files: 0, bytes: 0 };
    return (moreFiles, moreBytes) => {
      files += moreFiles;
      bytes += moreBytes;
      const isMuch = files - told.files >= EVERY_FILES || bytes - told.bytes >= EVERY_BYTES;
      if (!isMuch && files < totalFiles) return;
      told = { files, bytes };
      emit({ type: 'progress', phase, subject, files, totalFiles, bytes, totalBytes });
    };
  };
}
