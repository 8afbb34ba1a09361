import type { Store } from '../../store/store.js';
import type { Area } from '../areas.js';
import { notePath, quietly, readNote, writeNote } from '../note-files.js';

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
  const path = notePath(store, 'quiet', description);
  const times = (): Map<string, number> => {
    const lines = (readNote(store, path)?.toString('latin1') ?? '').split('\n');
    return new Map(
      lines.flatMap((line) => {
        const [, area = '', at = ''] = /^(trusted|shared|pr\/[1-9][0-9]*) ([1-9][0-9]{0,14})$/.exec(line) ?? [];
        return area === '' ? [] : [[area, Number(at)]];
      }),
    );
  };
  return {
    read: (area) => times().get(area),
    write: (area, atMs) => {
      const text = [...times().set(area, Math.floor(atMs))].map(([name, at]) => `${name} ${at}\n`).join('');
      quietly(() => {
        store.files.mkdirSync(store.layout.index, { recursive: true });
        writeNote(store, path, 'w', Buffer.from(text));
      });
    },
  };
}
