import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a zip file, honest unless a test says otherwise. */
export interface FakeEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly stored?: boolean;
  /** Unix mode with its kind: `0o100644`. */
  readonly mode?: number;
  readonly flags?: number;
  readonly method?: number;
  /** What the directory says, where it lies. */
  readonly declaredBytes?: number;
  readonly crc32?: number;
  /** Begins where an earlier entry begins. */
  readonly at?: number;
}

const UTF8 = 0x800;
const MADE_ON_UNIX = 3 << 8;

/** The bytes of a zip file. */
export function zipBytes(entries: readonly FakeEntry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    const packed = entry.stored === true ? content : deflateRawSync(content);
    const name = Buffer.from(entry.name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE((entry.flags ?? 0) | UTF8, 2);
    fields.writeUInt16LE(entry.method ?? (entry.stored === true ? 0 : 8), 4);
    fields.writeUInt32LE(entry.crc32 ?? crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(entry.declaredBytes ?? content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    bodies.push(Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 6);
    rest.writeUInt32LE(entry.at ?? position, 10);
    const maker = Buffer.alloc(2);
    maker.writeUInt16LE(entry.mode === undefined ? 20 : MADE_ON_UNIX | 20);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), maker, fields, rest, name);
    position += 30 + name.length + packed.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...bodies, directoryBytes, end]);
}
