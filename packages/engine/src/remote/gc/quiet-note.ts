import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from '../../errors.js';
import type { Store } from '../../store/store.js';
import { writeWhole } from '../../util/whole-io.js';
import type { Area } from '../areas.js';

/*
 * When an area of a remote was last seen to have no condemned list, as a file: `docs/format.md`, "Quiet note". It only saves a question: a note that is
 * lost, damaged or from the future is as good as none.
 */

/** When each area was seen to be quiet, in ms by the clock of this machine. */
export interface QuietNote {
  read(area: Area): number | undefined;
  write(area: Area, atMs: number): void;
}

/** The note about a remote in a store. */
export function quietNote(store: Store, description: string): QuietNote {
  const hash = createHash('sha256').update(description).digest('hex').slice(0, 16);
  const path = join(store.layout.index, `quiet-${hash}`);
  const times = (): Map<string, number> => {
    try {
      const lines = store.files.readFileSync(path).toString('latin1').split('\n');
      return new Map(
        lines.flatMap((line) => {
          const [, area = '', at = ''] = /^(trusted|shared|pr\/[1-9][0-9]*) ([1-9][0-9]{0,14})$/.exec(line) ?? [];
          return area === '' ? [] : [[area, Number(at)]];
        }),
      );
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return new Map();
    }
  };
  return {
    read: (area) => times().get(area),
    write: (area, atMs) => {
      const text = [...times().set(area, Math.floor(atMs))].map(([name, at]) => `${name} ${at}\n`).join('');
      try {
        store.files.mkdirSync(store.layout.index, { recursive: true });
        const fd = store.files.openSync(path, 'w');
        try {
          writeWhole(store.files, fd, Buffer.from(text));
        } finally {
          store.files.closeSync(fd);
        }
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
      }
    },
  };
}
