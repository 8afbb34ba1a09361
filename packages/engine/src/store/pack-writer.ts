import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { copyRaw } from '../model/digest.js';
import {
  type BLOBS,
  CODEC_NONE,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PackIndexBuilder,
  packHeader,
  type TREES,
  writeObjectHeader,
} from '../model/pack.js';
import { writeWhole } from '../util/whole-io.js';
import type { Durability } from './durable.js';
import type { Files } from './files.js';
import { PACK_TARGET_BYTES } from './layout.js';

/** A finished pack that has not got its name yet. */
export interface FinishedPack {
  readonly tmpPath: string;
  /** `<32 hex>.pack` */
  readonly name: string;
  readonly bytes: number;
}

const BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Appends objects to packs in a temporary directory, one pack after another. The caller fills {@link space} and then calls {@link append}:
 * so a file is read straight to the place from which it is written.
 */
export class PackWriter {
  private readonly files: Files;
  private readonly durability: Durability;
  private readonly dir: string;
  private readonly content: typeof BLOBS | typeof TREES;
  private readonly targetBytes: number;
  private readonly finished: FinishedPack[] = [];
  private buffer = Buffer.alloc(0);
  private fill = 0;
  private written = 0;
  private fd: number | undefined;
  private path = '';
  private name = '';
  private index = new PackIndexBuilder();

  constructor(
    files: Files,
    durability: Durability,
    dir: string,
    content: typeof BLOBS | typeof TREES,
    targetBytes: number = PACK_TARGET_BYTES,
  ) {
    this.files = files;
    this.durability = durability;
    this.dir = dir;
    this.content = content;
    this.targetBytes = targetBytes;
  }

  /** A view with room for `length` bytes of the next object. Valid until the next call of any method. */
  space(length: number): Buffer {
    const needed = OBJECT_HEADER_BYTES + length;
    if (this.fill + needed > this.buffer.length) this.flush();
    if (needed > this.buffer.length) this.buffer = Buffer.allocUnsafe(Math.max(needed, BUFFER_BYTES));
    const at = this.fill + OBJECT_HEADER_BYTES;
    return this.buffer.subarray(at, at + length);
  }

  /** Takes the first `length` bytes of the last {@link space} as an object with the digest at `rawAt` in `raw`. Returns where it lies. */
  append(kind: number, length: number, raw: Buffer, rawAt: number): { readonly pack: string; readonly offset: number } {
    if (this.fd === undefined) this.begin();
    const at = this.fill;
    const entry = { offset: this.written + at, stored: length, full: length, codec: CODEC_NONE, kind };
    writeObjectHeader(this.buffer, at, entry);
    copyRaw(raw, rawAt, this.buffer, at + OBJECT_DIGEST_OFFSET);
    this.index.add(raw, rawAt, entry);
    this.fill += OBJECT_HEADER_BYTES + length;
    const place = { pack: this.name, offset: entry.offset };
    if (this.written + this.fill >= this.targetBytes) this.end();
    return place;
  }

  /** The packs that were finished since this was asked last. */
  drain(): FinishedPack[] {
    return this.finished.splice(0);
  }

  /** Closes the last pack. All packs of this writer that were not drained are returned; they are durable then, but have no names yet. */
  finish(): FinishedPack[] {
    this.end();
    return this.finished;
  }

  /** Closes what is open after a failure; the temporary directory is the lease's to delete. */
  abandon(): void {
    if (this.fd !== undefined) this.files.closeSync(this.fd);
    this.fd = undefined;
  }

  private begin(): void {
    this.name = `${randomBytes(16).toString('hex')}.pack`;
    this.path = join(this.dir, this.name);
    // The header goes in front of what space() has already taken, straight to the file.
    this.fd = this.files.openSync(this.path, 'wx', 0o444);
    this.writeAll(packHeader(this.content));
    this.written = PACK_HEADER_BYTES;
    this.index = new PackIndexBuilder();
  }

  private end(): void {
    if (this.fd === undefined) return;
    this.flush();
    const tail = this.index.finish();
    this.writeAll(tail);
    const bytes = this.written + tail.length;
    if (this.durability === 'batch') this.files.fsyncSync(this.fd);
    this.files.closeSync(this.fd);
    this.fd = undefined;
    this.finished.push({ tmpPath: this.path, name: this.name, bytes });
  }

  private flush(): void {
    if (this.fill === 0 || this.fd === undefined) return;
    this.writeAll(this.buffer.subarray(0, this.fill));
    this.written += this.fill;
    this.fill = 0;
  }

  private writeAll(bytes: Buffer): void {
    if (this.fd !== undefined) writeWhole(this.files, this.fd, bytes);
  }
}
