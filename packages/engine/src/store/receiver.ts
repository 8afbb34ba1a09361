import type { Files } from './files.js';
import { GrowingFile } from './growing-file.js';

/** Writes and hashes large files as their bytes come, which other threads may do. */
export interface Receiver {
  /** `path` exists and will have `size` bytes. */
  open(path: string, size: number): ReceivedFile;
}

/** A file that grows. A call that fails throws the system error or its code; then the file can only be closed. */
export interface ReceivedFile {
  /** Puts bytes at their place, in any order. They are not to be used meanwhile; the answer says where they are then. */
  write(bytes: Buffer, offset: number): Promise<Buffer>;
  /** The SHA-256 of the whole file; `undefined` if it is too short. Nothing is written after that. */
  finish(): Promise<Uint8Array | undefined>;
  /** Leaves it as it is. */
  close(): Promise<void>;
}

/** Does everything on this thread. */
export function inlineReceiver(files: Files): Receiver {
  return {
    open: (path, size) => {
      const file = new GrowingFile(files, path);
      return {
        write: async (bytes, offset) => {
          file.write(bytes, offset);
          return bytes;
        },
        finish: async () => file.finish(size),
        close: async () => file.close(),
      };
    },
  };
}
