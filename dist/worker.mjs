import { createRequire as sluiceRequire } from 'node:module';
const require = sluiceRequire(import.meta.url);

// packages/engine/dist/workspace/worker.js
import { parentPort } from "node:worker_threads";

// packages/engine/dist/errors.js
var ERRORS = {
  ERR_COMMAND_FAILED: { exit: 1, summary: "The stage's command ended with an error" },
  ERR_USAGE: { exit: 2, summary: "A command, option or argument is not known or does not fit" },
  ERR_CONFIG: { exit: 2, summary: "`sluice.json` or `sluice.local.json` cannot be used" },
  ERR_WORKSPACE: { exit: 2, summary: "No Nx workspace, or one that cannot be read" },
  ERR_STAGE_DEFINITION: { exit: 2, summary: "The options of a stage are wrong" },
  ERR_SELECTOR: { exit: 2, summary: "A selector names no project, target or out" },
  ERR_PARAM: { exit: 2, summary: "A param file or key cannot be read" },
  ERR_ENV_NAME: { exit: 2, summary: "The name of an environment variable is not valid" },
  ERR_CYCLE: { exit: 2, summary: "Stages depend on each other in a circle" },
  ERR_RUNTIME: { exit: 2, summary: "A `runtime` command of a stage failed" },
  ERR_REVISION: { exit: 2, summary: "A git revision does not exist or git cannot be used here" },
  ERR_SHALLOW_CLONE: { exit: 2, summary: "The history is cut off, so what it refers to is not known" },
  ERR_OUT_TRACKED_BY_GIT: { exit: 2, summary: "git tracks an out that Sluice is to keep" },
  ERR_REMOTE_UNKNOWN: { exit: 2, summary: "No remote has this name, or none is configured" },
  ERR_DOCTOR_FAILED: { exit: 2, summary: "The workspace has problems that are not repaired" },
  ERR_STORE_UNWRITABLE: { exit: 2, summary: "The store cannot be written" },
  ERR_SIGNING_KEY: { exit: 2, summary: "The key for signatures is missing or cannot be used" },
  ERR_REMOTE_DOWN: { exit: 3, summary: "The remote does not answer" },
  ERR_REMOTE_DENIED: { exit: 3, summary: "The remote refuses access" },
  ERR_REMOTE_READ_ONLY: { exit: 3, summary: "The remote is configured as read-only" },
  ERR_LOCKS_NOT_PUBLISHED: { exit: 3, summary: "A commit of locks could not be pushed" },
  ERR_OBJECT_MISSING: { exit: 4, summary: "An object is in no place where it was looked for" },
  ERR_OBJECT_DAMAGED: { exit: 4, summary: "The bytes of an object do not have its digest" },
  ERR_TREE_INVALID: { exit: 4, summary: "A tree is damaged" },
  ERR_PACK_INVALID: { exit: 4, summary: "A pack is damaged" },
  ERR_MAP_INVALID: { exit: 4, summary: "A map is damaged" },
  ERR_INDEX_INVALID: { exit: 4, summary: "A stat index is damaged" },
  ERR_RECORD_INVALID: { exit: 4, summary: "A record is damaged" },
  ERR_SIGNATURE: { exit: 4, summary: "A record or map of a remote is not signed with a key that counts" },
  ERR_LOCK_INVALID: { exit: 4, summary: "A lock cannot be read" },
  ERR_LOCK_CONFLICT: { exit: 4, summary: "A lock holds conflicts of a merge" },
  ERR_LOCK_VERSION: { exit: 4, summary: "A lock was written by a newer Sluice" },
  ERR_FORMAT_VERSION: { exit: 4, summary: "Something was written by a newer Sluice" },
  ERR_NOT_LOCAL: { exit: 4, summary: "Data is wanted that is only referred to here" },
  ERR_NOT_PUSHED: { exit: 4, summary: "Git is about to publish locks whose data no remote holds" },
  ERR_UPSTREAM: { exit: 4, summary: "A dep is absent and its producer has no result yet" },
  ERR_DEP_MISSING: { exit: 4, summary: "A declared dep does not exist" },
  ERR_DEP_CHANGED: { exit: 4, summary: "A dep changed while the stage ran" },
  ERR_OUT_MISSING: { exit: 4, summary: "The command ended but did not make a declared out" },
  ERR_OUT_MODIFIED: { exit: 4, summary: "An out has changes that would be lost" },
  ERR_OUT_PART: { exit: 4, summary: "Only a part of an out is in the workspace" },
  ERR_ITEM_COLLISION: { exit: 4, summary: "Two items of a stage made the same file" },
  ERR_FROZEN: { exit: 4, summary: "A frozen stage would have to run" },
  ERR_FILE_CHANGED: { exit: 4, summary: "A file changed while it was read" },
  ERR_FILE_UNREADABLE: { exit: 4, summary: "A file or directory cannot be read" },
  ERR_FILE_KIND: { exit: 4, summary: "A socket, pipe or device lies where data is expected" },
  ERR_FILE_NAME: { exit: 4, summary: "A file name cannot be kept" },
  ERR_LINK_ESCAPES: { exit: 4, summary: "A symbolic link leaves its out" },
  ERR_PATH_UNSAFE: { exit: 4, summary: "A path from a store, remote or lock is not safe" },
  ERR_ARCHIVE_INVALID: { exit: 4, summary: "An archive is damaged, or of a kind that cannot be unpacked" },
  ERR_ARCHIVE_UNSAFE: { exit: 4, summary: "An archive holds an entry that is not safe" },
  ERR_ARCHIVE_TOO_LARGE: { exit: 4, summary: "An archive unpacks to more than is allowed" },
  ERR_URL_UNSAFE: { exit: 2, summary: "An address is not asked for" },
  ERR_DOWNLOAD: { exit: 3, summary: "A file cannot be had from its address" },
  ERR_IMPORTS_INVALID: { exit: 4, summary: "The list of imports of a project cannot be read" },
  ERR_EXPORT_EXISTS: { exit: 4, summary: "Something else is where an export would write" },
  ERR_DISK_FULL: { exit: 4, summary: "No space is left" },
  ERR_IO: { exit: 4, summary: "The operating system could not read or write" },
  ERR_GC_STOPPED: { exit: 4, summary: "The collection stopped before it deleted anything" },
  ERR_VERIFY_FAILED: { exit: 4, summary: "The check found damaged or missing data" },
  ERR_HELD: { exit: 5, summary: "Another process holds what is needed" },
  ERR_INTERNAL: { exit: 70, summary: "A bug in Sluice" },
  ERR_INTERRUPTED: { exit: 130, summary: "Interrupted" }
};
var SluiceError = class extends Error {
  code;
  hint;
  details;
  constructor(code, message, extras = {}) {
    super(message, extras.cause === void 0 ? void 0 : { cause: extras.cause });
    this.name = "SluiceError";
    this.code = code;
    this.hint = extras.hint;
    this.details = extras.details;
  }
  /** The exit code of a process that ends because of this error. */
  get exitCode() {
    return ERRORS[this.code].exit;
  }
};
function toErrorWire(error) {
  const known = asSluiceError(error);
  return {
    code: known.code,
    message: known.message,
    ...known.hint === void 0 ? {} : { hint: known.hint },
    ...known.details === void 0 ? {} : { details: known.details }
  };
}
var SYSTEM_FAILURES = /* @__PURE__ */ new Set([
  "EBUSY",
  "EIO",
  "EMFILE",
  "ENFILE",
  "ENODEV",
  "ENOMEM",
  "ENXIO",
  "ESTALE",
  "ETIMEDOUT",
  "ETXTBSY"
]);
function asSluiceError(error) {
  if (error instanceof SluiceError)
    return error;
  const code = errnoOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new SluiceError("ERR_DISK_FULL", `no space is left: ${describe(error)}`, {
      cause: error,
      hint: "Free some space (`sluice gc` drops what nothing refers to) and run again; nothing was lost."
    });
  }
  if (code === "EROFS") {
    return new SluiceError("ERR_STORE_UNWRITABLE", `the file system is read-only: ${describe(error)}`, {
      cause: error
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new SluiceError("ERR_FILE_UNREADABLE", `permission denied: ${describe(error)}`, {
      cause: error,
      hint: "Check the permissions of the file and of the directory that holds it."
    });
  }
  if (code !== void 0 && SYSTEM_FAILURES.has(code)) {
    return new SluiceError("ERR_IO", `the operating system could not do it: ${describe(error)}`, {
      cause: error,
      hint: "Check the disk, its mount and the limits of the system, then run again; nothing was lost."
    });
  }
  if (error instanceof Error && (error.name === "AbortError" || code === "ABORT_ERR")) {
    return new SluiceError("ERR_INTERRUPTED", "interrupted", { cause: error });
  }
  return new SluiceError("ERR_INTERNAL", describe(error), {
    cause: error,
    hint: "This is a bug in Sluice; please report it with the output of the same command and SLUICE_TRACE=1."
  });
}
function errnoOf(error) {
  if (typeof error !== "object" || error === null || !("code" in error))
    return void 0;
  return typeof error.code === "string" ? error.code : void 0;
}
function isReadFailure(error) {
  const isObject = typeof error === "object" && error !== null;
  return errnoOf(error) === "EIO" && isObject && "syscall" in error && error.syscall === "read";
}
function describe(error) {
  return error instanceof Error ? error.message : String(error);
}

// packages/engine/dist/store/files.js
import fs from "node:fs";
var realFiles = fs;

// packages/engine/dist/store/ingest.js
import { createHash as createHash3, hash as hash2, randomBytes as randomBytes2 } from "node:crypto";
import { join as join4 } from "node:path";

// packages/engine/dist/model/digest.js
import { createHash, hash } from "node:crypto";
var RAW_DIGEST_BYTES = 32;
function rawDigestOf(content) {
  return createHash("sha256").update(content).digest();
}
function digestFromRaw(bytes, offset = 0) {
  return `sha256:${bytes.toString("hex", offset, offset + RAW_DIGEST_BYTES)}`;
}
function hexOf(digest) {
  return digest.slice(7);
}
function copyRaw(from, fromAt, to, toAt) {
  for (let i = 0; i < RAW_DIGEST_BYTES; i++)
    to[toAt + i] = from[fromAt + i] ?? 0;
}
function equalRaw(a, atA, b, atB) {
  for (let i = 0; i < RAW_DIGEST_BYTES; i++)
    if (a[atA + i] !== b[atB + i])
      return false;
  return true;
}
function shortDigest(digest) {
  return digest.slice(0, 7 + 12);
}

// packages/engine/dist/model/digest-table.js
var DigestTable = class _DigestTable {
  keys;
  values;
  taken;
  used = 0;
  /** `expected` entries fit without growing. */
  constructor(expected = 64) {
    let slots = 128;
    while (slots * 0.7 < expected)
      slots *= 2;
    this.keys = Buffer.allocUnsafe(slots * RAW_DIGEST_BYTES);
    this.values = new Float64Array(slots);
    this.taken = new Uint8Array(slots);
  }
  get size() {
    return this.used;
  }
  has(raw, rawAt = 0) {
    return this.taken[this.slot(raw, rawAt)] === 1;
  }
  get(raw, rawAt = 0) {
    const slot = this.slot(raw, rawAt);
    return this.taken[slot] === 1 ? this.values[slot] : void 0;
  }
  /** Returns whether the digest was new. */
  set(raw, rawAt = 0, value = 0) {
    if (this.used >= this.taken.length * 0.7)
      this.grow();
    const slot = this.slot(raw, rawAt);
    this.values[slot] = value;
    if (this.taken[slot] === 1)
      return false;
    copyRaw(raw, rawAt, this.keys, slot * RAW_DIGEST_BYTES);
    this.taken[slot] = 1;
    this.used++;
    return true;
  }
  /** Every digest (a view of 32 bytes, valid until the next `set`) with its number, in no order. */
  *entries() {
    for (let slot = 0; slot < this.taken.length; slot++) {
      if (this.taken[slot] !== 1)
        continue;
      yield [this.keys.subarray(slot * RAW_DIGEST_BYTES, (slot + 1) * RAW_DIGEST_BYTES), this.values[slot] ?? 0];
    }
  }
  slot(raw, rawAt) {
    const mask = this.taken.length - 1;
    let slot = headOf(raw, rawAt + 4) & mask;
    while (this.taken[slot] === 1) {
      if (equalRaw(this.keys, slot * RAW_DIGEST_BYTES, raw, rawAt))
        return slot;
      slot = slot + 1 & mask;
    }
    return slot;
  }
  grow() {
    const bigger = new _DigestTable(this.taken.length * 1.4);
    for (const [raw, value] of this.entries())
      bigger.set(raw, 0, value);
    this.keys = bigger.keys;
    this.values = bigger.values;
    this.taken = bigger.taken;
  }
};
function headOf(bytes, at) {
  return (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 | (bytes[at + 3] ?? 0) << 24;
}

// packages/engine/dist/model/pack.js
var BLOB = 0;
var NODE = 1;
var NODE_PART = 2;
var BLOBS = 0;
var TREES = 1;
var CODEC_NONE = 0;
var CODEC_ZSTD = 1;
var CODEC_BROTLI = 2;
var PACK_HEADER_BYTES = 8;
var OBJECT_HEADER_BYTES = 44;
var PACK_TRAILER_BYTES = 44;
var INDEX_ENTRY_BYTES = 46;
var MAX_PACK_BYTES = 2 ** 32 - 1;
var MAGIC = Buffer.from("SLPK");
var END_MAGIC = Buffer.from("SLPE");
var VERSION = 1;
function packHeader(content) {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  MAGIC.copy(header);
  header[4] = VERSION;
  header[5] = content;
  return header;
}
function writeObjectHeader(bytes, at, entry) {
  bytes.writeUInt32LE(entry.stored, at);
  bytes.writeUInt32LE(entry.full, at + 4);
  bytes[at + 8] = entry.codec;
  bytes[at + 9] = entry.kind;
  bytes[at + 10] = 0;
  bytes[at + 11] = 0;
}
var OBJECT_DIGEST_OFFSET = 12;
function readObjectHeader(bytes, at) {
  return {
    stored: bytes.readUInt32LE(at),
    full: bytes.readUInt32LE(at + 4),
    codec: bytes.readUInt8(at + 8),
    kind: bytes.readUInt8(at + 9)
  };
}
var PackIndexBuilder = class {
  entries = Buffer.allocUnsafe(256 * INDEX_ENTRY_BYTES);
  used = 0;
  get count() {
    return this.used;
  }
  /** Adds an object; its digest is the 32 bytes at `rawAt` in `raw`. The same digest may not be added twice. */
  add(raw, rawAt, entry) {
    const at = this.used * INDEX_ENTRY_BYTES;
    if (at === this.entries.length) {
      const grown = Buffer.allocUnsafe(this.entries.length * 2);
      this.entries.copy(grown);
      this.entries = grown;
    }
    copyRaw(raw, rawAt, this.entries, at);
    this.entries.writeUInt32LE(entry.offset, at + 32);
    this.entries.writeUInt32LE(entry.stored, at + 36);
    this.entries.writeUInt32LE(entry.full, at + 40);
    this.entries[at + 44] = entry.codec;
    this.entries[at + 45] = entry.kind;
    this.used++;
  }
  /** The sorted index alone. */
  rows() {
    const all = this.finish();
    return all.subarray(0, all.length - PACK_TRAILER_BYTES);
  }
  /** The sorted index and the trailer: the last bytes of the pack. */
  finish() {
    const { entries: rows, used } = this;
    const order = new Uint32Array(used);
    for (let i = 0; i < used; i++)
      order[i] = i;
    order.sort((a, b) => compareRows(rows, a, rows, b));
    const bytes = Buffer.alloc(used * INDEX_ENTRY_BYTES + PACK_TRAILER_BYTES);
    order.forEach((row, i) => {
      rows.copy(bytes, i * INDEX_ENTRY_BYTES, row * INDEX_ENTRY_BYTES, (row + 1) * INDEX_ENTRY_BYTES);
    });
    const end = used * INDEX_ENTRY_BYTES;
    bytes.writeUInt32LE(used, end);
    rawDigestOf(bytes.subarray(0, end)).copy(bytes, end + 8);
    END_MAGIC.copy(bytes, end + 40);
    return bytes;
  }
};
function compareRows(a, rowA, b, rowB) {
  const atA = rowA * INDEX_ENTRY_BYTES;
  const atB = rowB * INDEX_ENTRY_BYTES;
  const first = a.readUInt32BE(atA) - b.readUInt32BE(atB);
  return first !== 0 ? first : a.compare(b, atB + 4, atB + RAW_DIGEST_BYTES, atA + 4, atA + RAW_DIGEST_BYTES);
}
var PackIndex = class {
  rows;
  /** Number of rows whose digest begins with a smaller byte: it cuts the search in half, and in half again, eight times. */
  fanOut = new Uint32Array(257);
  heads;
  count;
  constructor(rows) {
    this.rows = rows;
    this.count = rows.length / INDEX_ENTRY_BYTES;
    const { fanOut } = this;
    for (let at = 0; at < rows.length; at += INDEX_ENTRY_BYTES) {
      const next = (rows[at] ?? 0) + 1;
      fanOut[next] = (fanOut[next] ?? 0) + 1;
    }
    for (let byte = 1; byte < fanOut.length; byte++)
      fanOut[byte] = (fanOut[byte] ?? 0) + (fanOut[byte - 1] ?? 0);
  }
  /** The row of a digest (32 bytes at `rawAt` in `raw`), or -1. */
  find(raw, rawAt = 0) {
    this.heads ??= headsOf(this.rows);
    const { heads } = this;
    const first = raw[rawAt] ?? 0;
    const key = headAt(raw, rawAt);
    let low = this.fanOut[first] ?? 0;
    let high = this.fanOut[first + 1] ?? 0;
    while (low < high) {
      const middle = low + high >>> 1;
      const at = middle * INDEX_ENTRY_BYTES;
      const here = heads[middle] ?? 0;
      const order = here !== key ? here - key : equalRaw(this.rows, at, raw, rawAt) ? 0 : this.rows.compare(raw, rawAt, rawAt + RAW_DIGEST_BYTES, at, at + RAW_DIGEST_BYTES);
      if (order === 0)
        return middle;
      if (order < 0)
        low = middle + 1;
      else
        high = middle;
    }
    return -1;
  }
  /** The kind that stands in a row. */
  kind(row) {
    return this.rows[row * INDEX_ENTRY_BYTES + 45] ?? 0;
  }
  /** What stands in a row. */
  entry(row) {
    const at = row * INDEX_ENTRY_BYTES;
    return {
      offset: this.rows.readUInt32LE(at + 32),
      stored: this.rows.readUInt32LE(at + 36),
      full: this.rows.readUInt32LE(at + 40),
      codec: this.rows.readUInt8(at + 44),
      kind: this.rows.readUInt8(at + 45)
    };
  }
  /** All entries, as they stand in the pack. */
  bytes() {
    return this.rows;
  }
  /** A view of the 32 digest bytes of a row. */
  raw(row) {
    const at = row * INDEX_ENTRY_BYTES;
    return this.rows.subarray(at, at + RAW_DIGEST_BYTES);
  }
};
function headsOf(rows) {
  const heads = new Uint32Array(rows.length / INDEX_ENTRY_BYTES);
  for (let row = 0; row < heads.length; row++)
    heads[row] = headAt(rows, row * INDEX_ENTRY_BYTES);
  return heads;
}
function headAt(bytes, at) {
  const head = (bytes[at] ?? 0) << 24 | (bytes[at + 1] ?? 0) << 16 | (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0);
  return head >>> 0;
}
function parsePackHeader(bytes, where) {
  if (bytes.length < PACK_HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) {
    return failPack(where, "it does not begin like a pack");
  }
  if (bytes.readUInt8(4) !== VERSION) {
    throw new SluiceError("ERR_FORMAT_VERSION", `pack ${where} was written by a newer Sluice`, {
      hint: "Update Sluice in this workspace."
    });
  }
  const content = bytes.readUInt8(5);
  if (content > TREES || bytes.readUInt16LE(6) !== 0)
    failPack(where, "its header has unknown values");
  return content;
}
function packTailBytes(trailer, packBytes, where) {
  const at = trailer.length - PACK_TRAILER_BYTES;
  if (at < 0 || packBytes > MAX_PACK_BYTES || !trailer.subarray(at + 40).equals(END_MAGIC)) {
    return failPack(where, "it does not end like a pack");
  }
  const tail = trailer.readUInt32LE(at) * INDEX_ENTRY_BYTES + PACK_TRAILER_BYTES;
  if (tail > packBytes - PACK_HEADER_BYTES || trailer.readUInt32LE(at + 4) !== 0) {
    failPack(where, "its index does not fit into it");
  }
  return tail;
}
function parsePackTail(tail, packBytes, where) {
  if (packTailBytes(tail, packBytes, where) !== tail.length)
    failPack(where, "its index is cut off");
  const rows = tail.subarray(0, tail.length - PACK_TRAILER_BYTES);
  const checksum = tail.subarray(rows.length + 8, rows.length + 40);
  if (!rawDigestOf(rows).equals(checksum))
    failPack(where, "its index does not have its checksum");
  const index = new PackIndex(rows);
  const dataEnd = packBytes - tail.length;
  for (let row = 0; row < index.count; row++) {
    if (row > 0 && compareRows(rows, row - 1, rows, row) >= 0)
      failPack(where, "its index is not in order");
    const at = row * INDEX_ENTRY_BYTES;
    const offset = rows.readUInt32LE(at + 32);
    const stored = rows.readUInt32LE(at + 36);
    if (offset < PACK_HEADER_BYTES || offset + OBJECT_HEADER_BYTES + stored > dataEnd) {
      failPack(where, "an object lies outside it");
    }
    if (rows.readUInt8(at + 44) === CODEC_NONE && rows.readUInt32LE(at + 40) !== stored) {
      failPack(where, "two lengths of an object differ");
    }
    if (rows.readUInt8(at + 45) > NODE_PART)
      failPack(where, "a kind of object is not known");
  }
  return index;
}
function failPack(where, problem) {
  throw new SluiceError("ERR_PACK_INVALID", `pack ${where} is damaged: ${problem}`);
}

// packages/engine/dist/util/whole-io.js
function writeWhole(files, fd, bytes, position = null) {
  for (let at = 0; at < bytes.length; ) {
    at += files.writeSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
  }
}
function readWhole(files, fd, bytes, position = null) {
  let at = 0;
  while (at < bytes.length) {
    const read = files.readSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
    if (read === 0)
      break;
    at += read;
  }
  return at;
}

// packages/engine/dist/store/layout.js
import { join } from "node:path";
var LOOSE_BYTES = 64 * 1024;
var PACK_TARGET_BYTES = 64 * 1024 * 1024;
function storeLayout(dir) {
  return {
    dir,
    version: join(dir, "version"),
    objects: join(dir, "objects"),
    packs: join(dir, "packs"),
    records: join(dir, "records"),
    kept: join(dir, "kept"),
    index: join(dir, "index"),
    leases: join(dir, "leases"),
    locks: join(dir, "locks"),
    workspaces: join(dir, "workspaces"),
    tmp: join(dir, "tmp"),
    transfers: join(dir, "transfers"),
    trash: join(dir, "trash"),
    damaged: join(dir, "damaged")
  };
}
function looseName(kind, hex) {
  return `${hex.slice(0, 2)}/${hex.slice(2)}${kind === "tree" ? ".tree" : ""}`;
}

// packages/engine/dist/store/loose.js
import { createHash as createHash2 } from "node:crypto";
import { join as join2 } from "node:path";
var SEAL_SECONDS = 946684800;
var CHUNK_BYTES = 1024 * 1024;
function isSealed(place) {
  return place.mtimeMs === SEAL_SECONDS * 1e3;
}
function seal(files, fd) {
  files.fchmodSync(fd, 292);
  files.futimesSync(fd, SEAL_SECONDS, SEAL_SECONDS);
}
function hashFile(files, path, buffer = Buffer.allocUnsafe(CHUNK_BYTES)) {
  const hash5 = createHash2("sha256");
  const fd = files.openSync(path, "r");
  try {
    for (; ; ) {
      const read = files.readSync(fd, buffer, 0, buffer.length, null);
      if (read === 0)
        return hash5.digest();
      hash5.update(buffer.subarray(0, read));
    }
  } finally {
    files.closeSync(fd);
  }
}
function checkLoose(files, layout, kind, raw, place) {
  if (isSealed(place))
    return true;
  if (hashFile(files, place.path).equals(raw)) {
    ifWritable(() => reseal(files, place.path));
    return true;
  }
  ifWritable(() => setLooseAside(files, layout, kind, raw));
  return false;
}
function ifWritable(repair) {
  try {
    repair();
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(errnoOf(error) ?? ""))
      throw error;
  }
}
function setLooseAside(files, layout, kind, raw) {
  const hex = hexOf(digestFromRaw(raw));
  files.mkdirSync(layout.damaged, { recursive: true });
  try {
    files.renameSync(join2(layout.objects, looseName(kind, hex)), join2(layout.damaged, `${hex}.${kind}`));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT")
      throw error;
  }
}
function damagedError(kind, raw) {
  const digest = digestFromRaw(raw);
  return new SluiceError("ERR_OBJECT_DAMAGED", `${kind} ${shortDigest(digest)} is damaged in the store; it was set aside`, {
    hint: "Run `sluice verify --repair` to fetch it again from a remote, or run the stage again.",
    details: { digest }
  });
}
function missingError(kind, raw) {
  const digest = digestFromRaw(raw);
  return new SluiceError("ERR_OBJECT_MISSING", `${kind} ${shortDigest(digest)} is not in the store`, {
    hint: "Run `sluice fetch` to get it from a remote, or run the stage again.",
    details: { digest }
  });
}
function reseal(files, path) {
  const fd = files.openSync(path, "r");
  try {
    seal(files, fd);
  } finally {
    files.closeSync(fd);
  }
}

// packages/engine/dist/store/pack-writer.js
import { randomBytes } from "node:crypto";
import { join as join3 } from "node:path";
var BUFFER_BYTES = 4 * 1024 * 1024;
var PackWriter = class {
  files;
  durability;
  dir;
  content;
  targetBytes;
  finished = [];
  buffer = Buffer.alloc(0);
  fill = 0;
  written = 0;
  fd;
  path = "";
  name = "";
  index = new PackIndexBuilder();
  constructor(files, durability, dir, content, targetBytes = PACK_TARGET_BYTES) {
    this.files = files;
    this.durability = durability;
    this.dir = dir;
    this.content = content;
    this.targetBytes = targetBytes;
  }
  /** A view with room for `length` bytes of the next object. Valid until the next call of any method. */
  space(length) {
    const needed = OBJECT_HEADER_BYTES + length;
    if (this.fill + needed > this.buffer.length)
      this.flush();
    if (needed > this.buffer.length)
      this.buffer = Buffer.allocUnsafe(Math.max(needed, BUFFER_BYTES));
    const at = this.fill + OBJECT_HEADER_BYTES;
    return this.buffer.subarray(at, at + length);
  }
  /** Takes the first `length` bytes of the last {@link space} as an object with the digest at `rawAt` in `raw`. Returns where it lies. */
  append(kind, length, raw, rawAt) {
    if (this.fd === void 0)
      this.begin();
    const at = this.fill;
    const entry = { offset: this.written + at, stored: length, full: length, codec: CODEC_NONE, kind };
    writeObjectHeader(this.buffer, at, entry);
    copyRaw(raw, rawAt, this.buffer, at + OBJECT_DIGEST_OFFSET);
    this.index.add(raw, rawAt, entry);
    this.fill += OBJECT_HEADER_BYTES + length;
    const place = { pack: this.name, offset: entry.offset };
    if (this.written + this.fill >= this.targetBytes)
      this.end();
    return place;
  }
  /** The packs that were finished since this was asked last. */
  drain() {
    return this.finished.splice(0);
  }
  /** Closes the last pack. All packs of this writer that were not drained are returned; they are durable then, but have no names yet. */
  finish() {
    this.end();
    return this.finished;
  }
  /** Closes what is open after a failure; the temporary directory is the lease's to delete. */
  abandon() {
    if (this.fd !== void 0)
      this.files.closeSync(this.fd);
    this.fd = void 0;
  }
  begin() {
    this.name = `${randomBytes(16).toString("hex")}.pack`;
    this.path = join3(this.dir, this.name);
    this.fd = this.files.openSync(this.path, "wx", 292);
    this.writeAll(packHeader(this.content));
    this.written = PACK_HEADER_BYTES;
    this.index = new PackIndexBuilder();
  }
  end() {
    if (this.fd === void 0)
      return;
    this.flush();
    const tail = this.index.finish();
    this.writeAll(tail);
    const bytes = this.written + tail.length;
    if (this.durability === "batch")
      this.files.fsyncSync(this.fd);
    this.files.closeSync(this.fd);
    this.fd = void 0;
    this.finished.push({ tmpPath: this.path, name: this.name, bytes });
  }
  flush() {
    if (this.fill === 0 || this.fd === void 0)
      return;
    this.writeAll(this.buffer.subarray(0, this.fill));
    this.written += this.fill;
    this.fill = 0;
  }
  writeAll(bytes) {
    if (this.fd !== void 0)
      writeWhole(this.files, this.fd, bytes);
  }
};

// packages/engine/dist/store/ingest.js
var StoreMoved = class extends Error {
};
var CHUNK_BYTES2 = 1024 * 1024;
var LEASE_BATCH = 1024;
var Ingestor = class {
  files;
  settings;
  catalog;
  leaseFd;
  pending = Buffer.allocUnsafe(LEASE_BATCH * RAW_DIGEST_BYTES);
  pendingCount = 0;
  written = { blob: new DigestTable(), tree: new DigestTable() };
  reliedPacks = /* @__PURE__ */ new Set();
  reliedLoose = [];
  blobs;
  trees;
  loose = [];
  chunk;
  constructor(files, settings, catalog) {
    this.files = files;
    this.settings = settings;
    this.catalog = catalog;
    catalog.refresh();
    this.leaseFd = files.openSync(settings.leasePath, "a");
    this.blobs = new PackWriter(files, settings.durability, settings.tmpDir, BLOBS);
    this.trees = new PackWriter(files, settings.durability, settings.tmpDir, TREES);
  }
  /**
   * Takes `size` bytes from an open file as a blob; writes its digest at `rawAt` of `raw` and returns whether it was new.
   * `unchanged` is asked after the last byte was read; if it says no, nothing is taken and `undefined` is returned.
   */
  addFile(fd, size, raw, rawAt, unchanged) {
    if (size >= LOOSE_BYTES)
      return this.addLarge(fd, size, raw, rawAt, unchanged);
    const space = this.blobs.space(size + 1);
    const length = readFully(this.files, fd, space);
    if (length !== size || !unchanged())
      return void 0;
    const bytes = space.subarray(0, length);
    raw.write(hash2("sha256", bytes, "binary"), rawAt, "latin1");
    return this.addSmall("blob", BLOB, bytes, raw, rawAt, true);
  }
  /** Takes bytes in memory as a blob or a tree node (`part` for a part of a split one); their digest is at `rawAt` in `raw`. Returns whether it was new. */
  addBytes(kind, bytes, raw, rawAt, part = false) {
    return this.addSmall(kind, kind === "blob" ? BLOB : part ? NODE_PART : NODE, bytes, raw, rawAt, false);
  }
  /**
   * Begins to take a blob of any size whose digest is known, chunk by chunk, such as from a remote; `undefined` if the store has it.
   */
  beginBlob(raw, rawAt) {
    if (this.isKnown("blob", raw, rawAt))
      return void 0;
    const file = this.beginLoose();
    return {
      write: (bytes) => file.write(bytes),
      abandon: () => file.abandon(),
      finish: () => {
        if (file.digest().equals(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES))) {
          file.keep(raw, rawAt);
          this.written.blob.set(raw, rawAt);
          return true;
        }
        file.abandon();
        return false;
      }
    };
  }
  /** Takes a file of the store's file system whose bytes were compared with the digest at `rawAt`. Throws the system error if it is gone. */
  adopt(path, raw, rawAt) {
    const tmpPath = join4(this.settings.tmpDir, randomBytes2(12).toString("hex"));
    this.files.renameSync(path, tmpPath);
    const fd = this.files.openSync(tmpPath, "r");
    try {
      seal(this.files, fd);
    } finally {
      this.files.closeSync(fd);
    }
    this.lease(raw, rawAt);
    this.loose.push({ tmpPath, name: looseName("blob", hexOf(digestFromRaw(raw, rawAt))) });
    this.written.blob.set(raw, rawAt);
  }
  /** Says that the session relies on an object; returns whether the store has it. */
  has(kind, raw, rawAt = 0) {
    return this.isKnown(kind, raw, rawAt);
  }
  /** Everything is durable, but has no names yet. Throws {@link StoreMoved}. */
  finish() {
    this.flushLease();
    this.checkRelied();
    const packs = [...this.blobs.finish(), ...this.trees.finish()];
    this.files.closeSync(this.leaseFd);
    return { packs, loose: this.loose };
  }
  /** Closes what is open after a failure. */
  abandon() {
    this.blobs.abandon();
    this.trees.abandon();
    this.files.closeSync(this.leaseFd);
  }
  addSmall(kind, packKind, bytes, raw, rawAt, inSpace) {
    if (this.isKnown(kind, raw, rawAt))
      return false;
    if (!this.settings.packed) {
      const file = this.beginLoose();
      file.write(bytes);
      file.keep(raw, rawAt, kind);
      this.written[kind].set(raw, rawAt);
      return true;
    }
    const writer = kind === "blob" ? this.blobs : this.trees;
    if (!inSpace)
      bytes.copy(writer.space(bytes.length));
    writer.append(packKind, bytes.length, raw, rawAt);
    this.written[kind].set(raw, rawAt);
    return true;
  }
  addLarge(fd, size, raw, rawAt, unchanged) {
    const file = this.beginLoose();
    this.chunk ??= Buffer.allocUnsafe(CHUNK_BYTES2);
    let total = 0;
    try {
      for (; ; ) {
        const length = this.files.readSync(fd, this.chunk, 0, CHUNK_BYTES2, null);
        if (length === 0)
          break;
        total += length;
        if (total > size)
          break;
        file.write(this.chunk.subarray(0, length));
      }
    } catch (error) {
      file.abandon();
      throw error;
    }
    if (total !== size || !unchanged()) {
      file.abandon();
      return void 0;
    }
    file.digest().copy(raw, rawAt);
    if (this.isKnown("blob", raw, rawAt)) {
      file.abandon();
      return false;
    }
    file.keep(raw, rawAt);
    this.written.blob.set(raw, rawAt);
    return true;
  }
  /**
   * Whether this thread has written the object or the store has it in a state in which it can be served.
   * A yes is provisional until {@link finish} has looked again behind the lease.
   */
  isKnown(kind, raw, rawAt) {
    if (this.written[kind].has(raw, rawAt))
      return true;
    this.lease(raw, rawAt);
    const place = this.catalog.find(kind, raw, rawAt);
    if (place === void 0)
      return false;
    if (place.home === "pack") {
      this.reliedPacks.add(place.pack.path);
      return true;
    }
    if (!isSealed(place))
      return false;
    this.reliedLoose.push(place.path);
    return true;
  }
  /**
   * The digests are in the lease by now. What is still at its place is seen by any collection that has not moved it yet;
   * what has been moved cannot be relied on.
   */
  checkRelied() {
    const gone = (path) => this.files.statSync(path, { throwIfNoEntry: false }) === void 0;
    if ([...this.reliedPacks].some(gone) || this.reliedLoose.some(gone))
      throw new StoreMoved();
  }
  lease(raw, rawAt) {
    copyRaw(raw, rawAt, this.pending, this.pendingCount * RAW_DIGEST_BYTES);
    this.pendingCount++;
    if (this.pendingCount === LEASE_BATCH)
      this.flushLease();
  }
  flushLease() {
    if (this.pendingCount === 0)
      return;
    writeWhole(this.files, this.leaseFd, this.pending.subarray(0, this.pendingCount * RAW_DIGEST_BYTES));
    this.pendingCount = 0;
  }
  beginLoose() {
    const tmpPath = join4(this.settings.tmpDir, randomBytes2(12).toString("hex"));
    const { files, loose } = this;
    const fd = files.openSync(tmpPath, "wx", 420);
    const sha = createHash3("sha256");
    return {
      write: (bytes) => {
        sha.update(bytes);
        writeWhole(files, fd, bytes);
      },
      digest: () => sha.digest(),
      keep: (raw, rawAt, kind = "blob") => {
        seal(files, fd);
        files.closeSync(fd);
        loose.push({ tmpPath, name: looseName(kind, hexOf(digestFromRaw(raw, rawAt))) });
      },
      abandon: () => {
        files.closeSync(fd);
        files.rmSync(tmpPath, { force: true });
      }
    };
  }
};
function readFully(files, fd, buffer) {
  let at = 0;
  while (at < buffer.length) {
    const wanted = buffer.length - at;
    const read = files.readSync(fd, buffer, at, wanted, null);
    at += read;
    if (read < wanted)
      break;
  }
  return at;
}

// packages/engine/dist/model/compress.js
import { brotliCompressSync, constants } from "node:zlib";

// packages/engine/dist/model/zstd.js
import zlib from "node:zlib";
var ZSTD_COMPRESSION_LEVEL = 100;
function zstdOfNode() {
  const { zstdCompressSync: compress2, zstdDecompressSync: decompress } = zlib;
  return compress2 === void 0 || decompress === void 0 ? void 0 : { compress: compress2, decompress };
}

// packages/engine/dist/model/compress.js
var SMALLEST_COMPRESSED_BYTES = 1024;
var LEAST_SAVED = 1 / 8;
var TRIED_BYTES = 64 * 1024;
var LOOKS = 4;
var LOOK_BYTES = 512;
var LEAST_COINCIDENCE = 1.25;
var FASTEST = 1;
var LARGEST_WINDOW_BITS = 22;
var SMALLEST_WINDOW_BITS = 10;
function compress(bytes) {
  return compressWith(zstdOfNode(), bytes);
}
function isWorthCompressing(sizeBytes) {
  return sizeBytes >= SMALLEST_COMPRESSED_BYTES;
}
function compressWith(zstd, bytes) {
  if (!mayCompress(bytes))
    return void 0;
  if (bytes.length > 2 * TRIED_BYTES) {
    const from = Math.floor((bytes.length - TRIED_BYTES) / 2);
    if (shrink(bytes.subarray(from, from + TRIED_BYTES), zstd) === void 0)
      return void 0;
  }
  return shrink(bytes, zstd);
}
function shrink(bytes, zstd) {
  const chunkSize = Math.max(64, bytes.length);
  const compressed = zstd === void 0 ? brotliCompressSync(bytes, { chunkSize, params: brotliParams(bytes.length) }) : zstd.compress(bytes, { chunkSize, params: { [ZSTD_COMPRESSION_LEVEL]: FASTEST } });
  if (compressed.length > bytes.length * (1 - LEAST_SAVED))
    return void 0;
  return { codec: zstd === void 0 ? CODEC_BROTLI : CODEC_ZSTD, bytes: compressed };
}
function brotliParams(bytes) {
  const bits = Math.min(LARGEST_WINDOW_BITS, Math.max(SMALLEST_WINDOW_BITS, 32 - Math.clz32(bytes)));
  return {
    [constants.BROTLI_PARAM_QUALITY]: FASTEST,
    [constants.BROTLI_PARAM_LGWIN]: bits,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes
  };
}
function mayCompress(bytes) {
  const { length } = bytes;
  if (!isWorthCompressing(length))
    return false;
  const counts = new Uint32Array(256);
  const whole = length <= LOOKS * LOOK_BYTES;
  const looked = whole ? length : LOOKS * LOOK_BYTES;
  for (let look = 0; look < (whole ? 1 : LOOKS); look++) {
    const from = whole ? 0 : Math.floor((length - LOOK_BYTES) * look / (LOOKS - 1));
    const to = whole ? length : from + LOOK_BYTES;
    for (let i = from; i < to; i++) {
      const byte = bytes[i] ?? 0;
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
  }
  let pairs = 0;
  for (const count of counts)
    pairs += count * (count - 1);
  return pairs * 256 >= looked * (looked - 1) * LEAST_COINCIDENCE;
}

// packages/engine/dist/model/encode-pack.js
function encodePack({ chunks, count }) {
  const offsets = new Uint32Array(count);
  const stored = new Uint32Array(count);
  const codecs = new Uint8Array(count);
  const index = new PackIndexBuilder();
  const encoded = [];
  let object = 0;
  let before = 0;
  for (const [i, { buffer, byteOffset, byteLength }] of chunks.entries()) {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    let fill = i === 0 ? PACK_HEADER_BYTES : 0;
    for (let at = fill; at < chunk.length; ) {
      const header = readObjectHeader(chunk, at);
      const next = at + OBJECT_HEADER_BYTES + header.stored;
      const { codec, length } = moveObject(chunk, at, next, fill, header);
      index.add(chunk, fill + OBJECT_DIGEST_OFFSET, { ...header, offset: before + fill, stored: length, codec });
      offsets[object] = before + fill;
      stored[object] = length;
      codecs[object] = codec;
      object++;
      fill += OBJECT_HEADER_BYTES + length;
      at = next;
    }
    before += fill;
    encoded.push(chunk.subarray(0, fill));
  }
  if (codecs.every((codec) => codec === CODEC_NONE))
    return { chunks };
  return { chunks: encoded, encoding: { offsets, stored, codecs, tail: index.finish() } };
}
function moveObject(chunk, at, next, to, header) {
  const from = at + OBJECT_HEADER_BYTES;
  const compressed = compress(chunk.subarray(from, next));
  if (compressed === void 0) {
    if (to < at)
      chunk.copyWithin(to, at, next);
    return { codec: CODEC_NONE, length: next - from };
  }
  const { codec, bytes } = compressed;
  if (to < at)
    chunk.copyWithin(to, at, from);
  writeObjectHeader(chunk, to, { ...header, stored: bytes.length, codec });
  bytes.copy(chunk, to + OBJECT_HEADER_BYTES);
  return { codec, length: bytes.length };
}

// packages/engine/dist/store/catalog.js
import { join as join5 } from "node:path";

// packages/engine/dist/store/owner.js
var HEARTBEAT_MS = 3e4;
var FOREIGN_DEAD_MS = 24 * 60 * 60 * 1e3;
var OLD_BOOT_DEAD_MS = 3 * HEARTBEAT_MS;

// packages/engine/dist/store/lease.js
function listNames(files, dir) {
  try {
    return files.readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT")
      return [];
    throw error;
  }
}

// packages/engine/dist/store/catalog.js
var LOOKS_BEFORE_LIST = 16;
var Catalog = class {
  files;
  layout;
  loaded = /* @__PURE__ */ new Map();
  broken = /* @__PURE__ */ new Map();
  stamp = "";
  fanOut;
  damagedNames = /* @__PURE__ */ new Set();
  constructor(files, layout) {
    this.files = files;
    this.layout = layout;
  }
  /** Loads new packs and forgets those that are gone. Cheap when nothing changed. Returns whether other packs are there than before, or packs came and went meanwhile. */
  refresh() {
    this.fanOut = void 0;
    this.damagedNames = new Set(listNames(this.files, this.layout.damaged));
    const stat = this.files.statSync(this.layout.packs, { throwIfNoEntry: false });
    const stamp = stat === void 0 ? "none" : `${stat.mtimeMs}-${stat.ctimeMs}-${stat.ino}`;
    const settled = stat !== void 0 && Date.now() - stat.mtimeMs > 1e3;
    if (stamp === this.stamp)
      return false;
    const names = listNames(this.files, this.layout.packs).filter((name) => name.endsWith(".pack"));
    const loaded = /* @__PURE__ */ new Map();
    const broken = /* @__PURE__ */ new Map();
    for (const name of names) {
      const known = this.loaded.get(name) ?? this.load(name, broken);
      if (known !== void 0)
        loaded.set(name, known);
    }
    const isOther = loaded.size !== this.loaded.size || [...loaded.keys()].some((name) => !this.loaded.has(name));
    this.loaded = loaded;
    this.broken = broken;
    this.stamp = settled ? stamp : "";
    return isOther || loaded.size + broken.size < names.length;
  }
  /** All packs that can be read. */
  packs() {
    return [...this.loaded.values()];
  }
  /** Packs that cannot be read, by name. */
  brokenPacks() {
    return this.broken;
  }
  /** Whether the object is there, by the packs that are loaded and the loose files on disk. */
  has(kind, raw, rawAt = 0) {
    return this.inPacks(kind, raw, rawAt) || this.loose(kind, raw, rawAt) !== void 0;
  }
  /**
   * The same for blobs, for many questions of one moment: where many are asked that begin alike, the directory in which they would lie is listed instead of looking for each. What comes
   * or goes from then on may not be noticed.
   */
  manyBlobs() {
    const asked = new Uint8Array(256);
    const listed = [];
    return (raw, rawAt) => {
      if (this.inPacks("blob", raw, rawAt))
        return true;
      this.fanOut ??= this.listFanOut();
      const first = raw[rawAt] ?? 0;
      if (this.fanOut[first] === 0)
        return false;
      const count = asked[first] ?? 0;
      if (count < LOOKS_BEFORE_LIST) {
        asked[first] = count + 1;
        return this.loose("blob", raw, rawAt) !== void 0;
      }
      const [directory = "", name = ""] = looseName("blob", raw.toString("hex", rawAt, rawAt + RAW_DIGEST_BYTES)).split("/");
      listed[first] ??= new Set(listNames(this.files, join5(this.layout.objects, directory)));
      return listed[first].has(name);
    };
  }
  inPacks(kind, raw, rawAt) {
    for (const pack of this.loaded.values())
      if (this.rowIn(pack, kind, raw, rawAt) >= 0)
        return true;
    return false;
  }
  /** The first place of an object. */
  find(kind, raw, rawAt = 0) {
    for (const pack of this.loaded.values()) {
      const entry = this.inPack(pack, kind, raw, rawAt);
      if (entry !== void 0)
        return { home: "pack", pack, entry };
    }
    return this.loose(kind, raw, rawAt);
  }
  /** Every place of an object: a damaged copy may have a sound twin. */
  *places(kind, raw, rawAt = 0) {
    const loose = this.loose(kind, raw, rawAt);
    if (loose !== void 0)
      yield loose;
    for (const pack of this.loaded.values()) {
      const entry = this.inPack(pack, kind, raw, rawAt);
      if (entry !== void 0)
        yield { home: "pack", pack, entry };
    }
  }
  /** Name of the marker that says "the copy in this pack is damaged". */
  damagedMarker(pack, raw, rawAt = 0) {
    return `${raw.toString("hex", rawAt, rawAt + RAW_DIGEST_BYTES)}.${pack.name}`;
  }
  /** Whether any copy was set aside. */
  get hasSetAside() {
    return this.damagedNames.size > 0;
  }
  /** Whether the copy in this pack was found damaged and is never served. */
  isSetAside(pack, raw, rawAt = 0) {
    return this.hasSetAside && this.damagedNames.has(this.damagedMarker(pack, raw, rawAt));
  }
  inPack(pack, kind, raw, rawAt) {
    const row = this.rowIn(pack, kind, raw, rawAt);
    return row < 0 ? void 0 : pack.index.entry(row);
  }
  /** The row of an object in a pack that may serve it, or -1. */
  rowIn(pack, kind, raw, rawAt) {
    const row = pack.index.find(raw, rawAt);
    if (row < 0 || pack.index.kind(row) === BLOB !== (kind === "blob"))
      return -1;
    return this.isSetAside(pack, raw, rawAt) ? -1 : row;
  }
  loose(kind, raw, rawAt) {
    this.fanOut ??= this.listFanOut();
    if (this.fanOut[raw[rawAt] ?? 0] === 0)
      return void 0;
    const path = join5(this.layout.objects, looseName(kind, hexOf(digestFromRaw(raw, rawAt))));
    const stat = this.files.statSync(path, { throwIfNoEntry: false });
    if (stat === void 0 || !stat.isFile())
      return void 0;
    return { home: "loose", path, bytes: stat.size, mtimeMs: stat.mtimeMs, inode: stat.ino };
  }
  /** Which of the 256 directories exist: it saves a failing call per object in a store that has only packs. */
  listFanOut() {
    const present = new Uint8Array(256);
    for (const name of listNames(this.files, this.layout.objects)) {
      if (/^[0-9a-f]{2}$/.test(name))
        present[Number.parseInt(name, 16)] = 1;
    }
    return present;
  }
  load(name, broken) {
    const path = join5(this.layout.packs, name);
    try {
      return loadPack(this.files, name, path);
    } catch (error) {
      if (errnoOf(error) === "ENOENT")
        return void 0;
      if (!(error instanceof SluiceError))
        throw error;
      broken.set(name, error);
      return void 0;
    }
  }
};
function loadPack(files, name, path) {
  const fd = files.openSync(path, "r");
  try {
    const bytes = files.fstatSync(fd).size;
    if (bytes < PACK_HEADER_BYTES + PACK_TRAILER_BYTES)
      throw cutOff(name);
    const content = parsePackHeader(readAt(files, fd, 0, PACK_HEADER_BYTES, name), name);
    const trailer = readAt(files, fd, bytes - PACK_TRAILER_BYTES, PACK_TRAILER_BYTES, name);
    const tailBytes = packTailBytes(trailer, bytes, name);
    const tail = readAt(files, fd, bytes - tailBytes, tailBytes, name);
    const index = parsePackTail(tail, bytes, name);
    if (index.count > 0 && index.entry(0).kind === BLOB !== (content === BLOBS)) {
      throw new SluiceError("ERR_PACK_INVALID", `pack ${name} is damaged: it holds other objects than it says`);
    }
    return { name, path, bytes, index };
  } finally {
    files.closeSync(fd);
  }
}
function readAt(files, fd, position, length, name) {
  const bytes = Buffer.allocUnsafe(length);
  if (readWhole(files, fd, bytes, position) < length)
    throw cutOff(name);
  return bytes;
}
function cutOff(name) {
  return new SluiceError("ERR_PACK_INVALID", `pack ${name} is damaged: it is cut off`);
}

// packages/engine/dist/model/cutter.js
import { createHash as createHash4 } from "node:crypto";
var CONTENT_CUT_BYTES = 16 * 1024 * 1024;
var EVEN_BYTES = 1024 * 1024;
var SHORTEST_BYTES = 64 * 1024;
var USUAL_BYTES = 256 * 1024;
var LONGEST_BYTES = 512 * 1024;
var MASK_BEFORE = 4294963200 | 0;
var MASK_BEHIND = 4294901760 | 0;
var Cutter = class {
  next;
  lengths = [];
  digests = [];
  sha = createHash4("sha256");
  /** Bytes of the current chunk before the current buffer, and its hash up to there. */
  length = 0;
  hash = 0;
  constructor(cuts) {
    this.next = cuts === "even" ? this.nextEven : this.nextByContent;
  }
  update(bytes) {
    for (let from = 0; from < bytes.length; ) {
      const cut = this.next(bytes, from);
      const end = cut < 0 ? bytes.length : cut;
      this.sha.update(bytes.subarray(from, end));
      this.length += end - from;
      from = end;
      if (cut >= 0)
        this.cut();
    }
  }
  finish() {
    if (this.length > 0)
      this.cut();
    return { lengths: Uint32Array.from(this.lengths), digests: Buffer.concat(this.digests) };
  }
  cut() {
    this.lengths.push(this.length);
    this.digests.push(this.sha.digest());
    this.sha = createHash4("sha256");
    this.length = 0;
    this.hash = 0;
  }
  /** The end of the current chunk in the buffer, or -1. */
  nextEven(bytes, from) {
    const end = from + EVEN_BYTES - this.length;
    return end <= bytes.length ? end : -1;
  }
  nextByContent(bytes, from) {
    const start = from - this.length;
    const behind = start + USUAL_BYTES - 1;
    const last = Math.min(bytes.length, start + LONGEST_BYTES);
    let at = Math.max(from, start + SHORTEST_BYTES);
    let hash5 = this.hash;
    const quick = Math.min(last, behind);
    for (; at < quick; at++) {
      hash5 = (hash5 << 1) + (GEAR[bytes[at] ?? 0] ?? 0) | 0;
      if ((hash5 & MASK_BEFORE) === 0)
        return at + 1;
    }
    for (; at < last; at++) {
      hash5 = (hash5 << 1) + (GEAR[bytes[at] ?? 0] ?? 0) | 0;
      if ((hash5 & MASK_BEHIND) === 0)
        return at + 1;
    }
    this.hash = hash5;
    return last === start + LONGEST_BYTES ? last : -1;
  }
};
var GEAR = Int32Array.from({ length: 256 }, (_, i) => rawDigestOf(Buffer.from(`sluice gear ${i}`)).readInt32LE(0));

// packages/engine/dist/store/cut-blob.js
function cutBlob(reader, { raw, cuts }) {
  let cutter = new Cutter(cuts);
  reader.stream(Buffer.from(raw), 0, (bytes) => cutter.update(bytes), () => {
    cutter = new Cutter(cuts);
  });
  return cutter.finish();
}

// packages/engine/dist/store/growing-file.js
import { createHash as createHash5 } from "node:crypto";
var READ_BYTES = 1024 * 1024;
var GrowingFile = class {
  files;
  fd;
  sha = createHash5("sha256");
  /** Everything before this is hashed. */
  hashed = 0;
  /** Lengths of what came before its turn, by offset. */
  early = /* @__PURE__ */ new Map();
  scratch;
  /** Throws the system error. */
  constructor(files, path) {
    this.files = files;
    this.fd = files.openSync(path, "r+");
  }
  /** Puts bytes at their place. Throws the system error. */
  write(bytes, offset) {
    writeWhole(this.files, this.fd, bytes, offset);
    if (offset !== this.hashed) {
      this.early.set(offset, bytes.length);
      return;
    }
    this.sha.update(bytes);
    this.hashed += bytes.length;
    for (let length = this.early.get(this.hashed); length !== void 0; length = this.early.get(this.hashed)) {
      this.early.delete(this.hashed);
      if (!this.readTo(this.hashed + length))
        return;
    }
  }
  /** The SHA-256 of the file once it has `size` bytes, what lies behind them cut off; `undefined` if it has fewer. The file is closed. */
  finish(size) {
    try {
      if (this.files.fstatSync(this.fd).size > size)
        this.files.ftruncateSync(this.fd, size);
      return this.hashed <= size && this.readTo(size) ? this.sha.digest() : void 0;
    } finally {
      this.close();
    }
  }
  /** Leaves the file as it is. */
  close() {
    this.files.closeSync(this.fd);
  }
  /** Hashes what is in the file up to `end`; returns whether it is that long. */
  readTo(end) {
    this.scratch ??= Buffer.allocUnsafeSlow(READ_BYTES);
    while (this.hashed < end) {
      const wanted = Math.min(READ_BYTES, end - this.hashed);
      const read = this.files.readSync(this.fd, this.scratch, 0, wanted, this.hashed);
      if (read === 0)
        return false;
      this.sha.update(this.scratch.subarray(0, read));
      this.hashed += read;
    }
    return true;
  }
};

// packages/engine/dist/store/reader.js
import { createHash as createHash6, hash as hash3 } from "node:crypto";
import { join as join7 } from "node:path";

// packages/engine/dist/store/trash.js
import { dirname, join as join6 } from "node:path";
function takeFromTrash(files, layout, bag, home, name) {
  const from = join6(bag.dir, home, name);
  const to = join6(layout[home], name);
  for (let attempt = 0; attempt < 5; attempt++) {
    files.mkdirSync(dirname(to), { recursive: true });
    renameIfThere(files, from, to);
    if (files.statSync(from, { throwIfNoEntry: false }) === void 0)
      return;
  }
}
function openBags(files, layout) {
  return listNames(files, layout.trash).map((id) => ({ dir: join6(layout.trash, id) }));
}
function recoverFromTrash(files, layout, kind, raw) {
  const name = looseName(kind, hexOf(digestFromRaw(raw)));
  for (const bag of openBags(files, layout)) {
    takeFromTrash(files, layout, bag, "objects", name);
    for (const pack of listNames(files, join6(bag.dir, "packs"))) {
      if (packHolds(files, join6(bag.dir, "packs", pack), pack, raw))
        takeFromTrash(files, layout, bag, "packs", pack);
    }
  }
}
function packHolds(files, path, name, raw) {
  try {
    return loadPack(files, name, path).index.find(raw) >= 0;
  } catch (error) {
    if (error instanceof SluiceError || errnoOf(error) === "ENOENT")
      return false;
    throw error;
  }
}
function renameIfThere(files, from, to) {
  try {
    files.renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT")
      throw error;
  }
}

// packages/engine/dist/store/reader.js
var FIRST_WINDOW_BYTES = 64 * 1024;
var LARGEST_WINDOW_BYTES = 4 * 1024 * 1024;
var CHUNK_BYTES3 = 1024 * 1024;
var OPEN_PACKS = 32;
var SECOND_LOOK_MS = 30;
var LOOKS2 = 3;
var MOST_LOOKS = 20;
var ObjectReader = class {
  catalog;
  files;
  layout;
  fds = /* @__PURE__ */ new Map();
  window = Buffer.alloc(0);
  windowPack = "";
  windowStart = 0;
  windowLength = 0;
  windowBytes = FIRST_WINDOW_BYTES;
  constructor(files, layout, catalog = new Catalog(files, layout)) {
    this.files = files;
    this.layout = layout;
    this.catalog = catalog;
    catalog.refresh();
  }
  /**
   * The bytes of an object that fits into memory (a tree, or a blob below the loose limit; larger ones work but are read whole).
   * The result is valid until the next call. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`.
   */
  read(kind, raw, rawAt = 0) {
    return this.attempt(kind, raw, rawAt, (place, key) => this.readCopy(place, key));
  }
  /**
   * Reads one certain copy and tells whether it has the object's bytes; the bytes of a small object are returned, valid until the next call.
   * Unlike {@link read} it neither looks for another copy nor sets a damaged one aside. Throws the system error if the copy is gone.
   */
  readCopy(place, raw, rawAt = 0) {
    const bytes = place.home === "pack" ? this.readPacked(place.pack, place.entry) : this.files.readFileSync(place.path);
    return matches(bytes, raw, rawAt) ? bytes : void 0;
  }
  /** The size of an object, or `undefined` if it is not there. Reads no bytes. */
  size(kind, raw, rawAt = 0) {
    const place = this.catalog.find(kind, raw, rawAt);
    return place === void 0 ? void 0 : place.home === "pack" ? place.entry.full : place.bytes;
  }
  /**
   * Hands the bytes of a blob to `sink` a MiB at a time and checks them on the way; the sink must not let anybody see them before this returns.
   * `restart` is called before another copy is tried. Throws like {@link read}.
   */
  stream(raw, rawAt, sink, restart) {
    this.attempt("blob", raw, rawAt, (place, key) => {
      restart();
      if (place.home === "pack") {
        const bytes = this.readPacked(place.pack, place.entry);
        if (!matches(bytes, key, 0))
          return void 0;
        sink(bytes);
        return true;
      }
      return this.streamFile(place.path, key, sink) ? true : void 0;
    });
  }
  /**
   * A loose blob whose bytes may be linked or cloned without being read again, or `undefined` if the blob lies in a pack.
   * Throws like {@link read}.
   */
  linkable(raw, rawAt = 0) {
    const place = this.catalog.find("blob", raw, rawAt);
    if (place?.home === "pack")
      return void 0;
    if (place !== void 0 && isSealed(place))
      return { ...place, sealed: true };
    return this.attempt("blob", raw, rawAt, (found, key) => {
      if (found.home === "pack")
        return { linkable: void 0 };
      if (!checkLoose(this.files, this.layout, "blob", key, found))
        return void 0;
      return { linkable: { ...found, sealed: isSealed(found) } };
    }).linkable;
  }
  close() {
    for (const fd of this.fds.values())
      this.files.closeSync(fd);
    this.fds.clear();
    this.windowPack = "";
  }
  /**
   * Tries every place of an object, then looks again: a collection may be moving it, or may be bringing it back from the trash. It is missing only if the store stood still while it was looked for, for
   * on a busy machine one collection after the other may overtake a reader.
   */
  attempt(kind, raw, rawAt, use) {
    const key = raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES);
    let damaged = false;
    let hasMoved = false;
    for (let look = 0; look < LOOKS2 || hasMoved && look < MOST_LOOKS; look++) {
      if (look >= 2) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SECOND_LOOK_MS);
        recoverFromTrash(this.files, this.layout, kind, key);
      }
      hasMoved = look > 0 && this.refresh();
      for (const place of this.catalog.places(kind, key, 0)) {
        try {
          const result = use(place, key);
          if (result !== void 0)
            return result;
          damaged = true;
          ifWritable(() => this.setAside(kind, key, place));
        } catch (error) {
          if (isReadFailure(error))
            damaged = true;
          else if (errnoOf(error) === "ENOENT")
            hasMoved = true;
          else
            throw error;
        }
      }
    }
    throw damaged ? damagedError(kind, key) : missingError(kind, key);
  }
  /** Takes a damaged copy out of use: a loose one is moved to `damaged/`, one in a pack gets a marker there. */
  setAside(kind, key, place) {
    if (place.home === "loose") {
      setLooseAside(this.files, this.layout, kind, key);
      return;
    }
    this.files.mkdirSync(this.layout.damaged, { recursive: true });
    const marker = join7(this.layout.damaged, this.catalog.damagedMarker(place.pack, key));
    this.files.closeSync(this.files.openSync(marker, "w"));
  }
  refresh() {
    this.close();
    return this.catalog.refresh();
  }
  streamFile(path, key, sink) {
    const digest = createHash6("sha256");
    const buffer = this.reserve(CHUNK_BYTES3);
    const fd = this.files.openSync(path, "r");
    try {
      for (; ; ) {
        const read = this.files.readSync(fd, buffer, 0, CHUNK_BYTES3, null);
        if (read === 0)
          return digest.digest().equals(key);
        const chunk = buffer.subarray(0, read);
        digest.update(chunk);
        sink(chunk);
      }
    } finally {
      this.files.closeSync(fd);
    }
  }
  readPacked(pack, entry) {
    if (entry.codec !== CODEC_NONE) {
      throw new SluiceError("ERR_FORMAT_VERSION", `pack ${pack.name} uses a codec that is not known`, {
        hint: "Update Sluice in this workspace."
      });
    }
    const start = entry.offset + OBJECT_HEADER_BYTES;
    const inWindow = this.windowPack === pack.name && start >= this.windowStart && start + entry.stored <= this.windowStart + this.windowLength;
    if (!inWindow)
      this.fill(pack, start, entry.stored);
    const at = start - this.windowStart;
    return this.window.subarray(at, at + entry.stored);
  }
  /** Reads ahead while reads come in order, and little when they do not. */
  fill(pack, start, needed) {
    const end = this.windowStart + this.windowLength;
    const inOrder = this.windowPack === pack.name && start >= this.windowStart && start < end + this.windowBytes;
    this.windowBytes = inOrder ? Math.min(this.windowBytes * 2, LARGEST_WINDOW_BYTES) : FIRST_WINDOW_BYTES;
    const length = Math.min(Math.max(needed, this.windowBytes), pack.bytes - start);
    const buffer = this.reserve(length);
    const fd = this.open(pack);
    const found = readWhole(this.files, fd, buffer.subarray(0, length), start);
    this.windowPack = pack.name;
    this.windowStart = start;
    this.windowLength = found;
    if (found < needed)
      buffer.fill(0, found, needed);
  }
  reserve(length) {
    if (this.window.length < length)
      this.window = Buffer.allocUnsafe(Math.max(length, FIRST_WINDOW_BYTES));
    this.windowPack = "";
    return this.window;
  }
  open(pack) {
    const known = this.fds.get(pack.name);
    if (known !== void 0)
      return known;
    if (this.fds.size >= OPEN_PACKS)
      this.close();
    const fd = this.files.openSync(pack.path, "r");
    this.fds.set(pack.name, fd);
    return fd;
  }
};
function matches(bytes, raw, rawAt) {
  return hash3("sha256", bytes, "hex") === raw.toString("hex", rawAt, rawAt + RAW_DIGEST_BYTES);
}

// packages/engine/dist/workspace/hash-batch.js
import { createHash as createHash7, hash as hash4 } from "node:crypto";
import { closeSync, constants as constants2, fstatSync, lstatSync as lstatSync2, openSync, readlinkSync, readSync } from "node:fs";

// packages/engine/dist/model/tree.js
var FILE = 0;
var EXECUTABLE = 1;
var LINK = 2;
var TREE = 3;
var MAX_NODE_BYTES = 16 * 1024 * 1024;
var MAGIC2 = Buffer.from("SLT1");

// packages/engine/dist/workspace/change-time.js
function changeTime(stat) {
  return stat.mtimeMs === SEAL_SECONDS * 1e3 && stat.nlink > 1 ? 0 : stat.ctimeMs;
}

// packages/engine/dist/workspace/link.js
function linkProblem(path, target) {
  const text = target.toString("utf8");
  if (!Buffer.from(text).equals(target))
    return "is a link to a name that is not UTF-8";
  if (text === "" || text.includes("\0"))
    return "is a link to nothing";
  if (text.startsWith("/"))
    return `is a link to the absolute path ${JSON.stringify(text)}`;
  let depth = path.split("/").length - 1;
  let named = false;
  for (const segment of text.split("/")) {
    if (segment === "" || segment === ".")
      continue;
    if (segment !== "..")
      named = true;
    else if (named || --depth < 0)
      return `is a link that leaves its out: ${JSON.stringify(text)}`;
  }
  return void 0;
}

// packages/engine/dist/workspace/stat-entries.js
import { lstatSync } from "node:fs";
var OWNER_EXECUTES = 64;
function entryColumns(count) {
  return {
    kinds: new Uint8Array(count),
    sizes: new Float64Array(count),
    mtimes: new Float64Array(count),
    ctimes: new Float64Array(count),
    inodes: new Float64Array(count)
  };
}
function statEntries({ directory, names }, into, at) {
  for (let i = 0; i < names.length; i++) {
    const path = `${directory}/${names[i]}`;
    const stat = entryStat(path);
    if (stat.isDirectory())
      into.kinds[at + i] = TREE;
    else
      writeEntry(into, at + i, stat, path);
  }
}
function writeEntry(into, entry, stat, path) {
  into.kinds[entry] = kindOf(stat, path);
  into.sizes[entry] = stat.size;
  into.mtimes[entry] = stat.mtimeMs;
  into.ctimes[entry] = changeTime(stat);
  into.inodes[entry] = stat.ino;
}
function fileKind(stat) {
  return (stat.mode & OWNER_EXECUTES) === 0 ? FILE : EXECUTABLE;
}
function vanished(path) {
  return new SluiceError("ERR_FILE_CHANGED", `${path} vanished while it was looked at`, {
    hint: "Let the program that writes there end, then run again."
  });
}
function unreadable(path, cause) {
  return new SluiceError("ERR_FILE_UNREADABLE", `${path} cannot be read (${errnoOf(cause) ?? "unknown error"})`, {
    cause,
    hint: "Check its permissions."
  });
}
function entryStat(path) {
  try {
    return lstatSync(path);
  } catch (error) {
    throw errnoOf(error) === "ENOENT" ? vanished(path) : unreadable(path, error);
  }
}
function kindOf(stat, path) {
  if (stat.isFile())
    return fileKind(stat);
  if (stat.isSymbolicLink())
    return LINK;
  throw new SluiceError("ERR_FILE_KIND", `${path} is a socket, pipe or device; only files, directories and links can be kept`, {
    hint: "Remove it, or name it in .sluiceignore."
  });
}

// packages/engine/dist/workspace/hash-batch.js
var READ = constants2.O_RDONLY | constants2.O_NOFOLLOW | constants2.O_NONBLOCK;
var NO_ATIME = process.platform === "linux" ? constants2.O_NOATIME : 0;
var CHUNK_BYTES4 = 1024 * 1024;
var STAT_FIELDS = 4;
function hashBatch(batch, ingestor, scratch) {
  const paths = batch.paths.split("\0");
  const result = {
    digests: Buffer.alloc(paths.length * RAW_DIGEST_BYTES),
    stats: Float64Array.from(batch.stats),
    fresh: new Uint8Array(paths.length),
    problems: []
  };
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i] ?? "";
    try {
      const isNew = batch.kinds[i] === LINK ? takeLink(batch, path, i, result.digests, ingestor) : takeFile(batch, batch.base + path, i, result, ingestor, scratch);
      result.fresh[i] = isNew ? 1 : 0;
    } catch (error) {
      if (!(error instanceof SluiceError))
        throw error;
      result.problems.push(toErrorWire(error));
    }
  }
  return result;
}
function scratchBuffer() {
  return Buffer.allocUnsafe(CHUNK_BYTES4);
}
function takeLink(batch, path, i, digests, ingestor) {
  const target = readLink(batch.base + path);
  if (batch.confineLinks) {
    const problem = linkProblem(path, target);
    if (problem !== void 0) {
      throw new SluiceError("ERR_LINK_ESCAPES", `${batch.base}${path} ${problem}`, {
        hint: "Link to something inside the same out, or copy the file."
      });
    }
  }
  putDigest(target, digests, i);
  return ingestor?.addBytes("blob", target, digests, i * RAW_DIGEST_BYTES) ?? false;
}
function takeFile(batch, path, i, result, ingestor, scratch) {
  for (let attempt = 0; attempt < 2; attempt++) {
    const fd = open(path);
    try {
      const isNew = readOnce(fd, path, i, result, ingestor, scratch);
      if (isNew !== void 0)
        return isNew;
    } finally {
      closeSync(fd);
    }
    const stat = lstatSync2(path, { throwIfNoEntry: false });
    if (stat === void 0 || !stat.isFile() || fileKind(stat) !== batch.kinds[i])
      break;
    setStat(stat, result.stats, i);
  }
  throw new SluiceError("ERR_FILE_CHANGED", `${path} changed while it was read`, {
    hint: "Let the program that writes it end, then run again."
  });
}
function readOnce(fd, path, i, result, ingestor, scratch) {
  const unchanged = () => sameStat(fstatSync(fd), result.stats, i);
  const size = result.stats[i * STAT_FIELDS] ?? 0;
  try {
    if (ingestor !== void 0)
      return ingestor.addFile(fd, size, result.digests, i * RAW_DIGEST_BYTES, unchanged);
    return hashOpenFile(fd, size, result.digests, i, scratch) && unchanged() ? false : void 0;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EISDIR" || code === "EAGAIN")
      return void 0;
    if (isReadFailure(error))
      throw unreadable2(path, error);
    throw error;
  }
}
function readLink(path) {
  try {
    return readlinkSync(path, { encoding: "buffer" });
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "EINVAL")
      throw vanished2(path, error);
    throw unreadable2(path, error);
  }
}
function open(path) {
  try {
    return openQuietly(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP")
      throw vanished2(path, error);
    if (code === "EMFILE" || code === "ENFILE" || code === "ENOMEM")
      throw error;
    throw unreadable2(path, error);
  }
}
function openQuietly(path) {
  try {
    return openSync(path, READ | NO_ATIME);
  } catch (error) {
    if (errnoOf(error) === "EPERM")
      return openSync(path, READ);
    throw error;
  }
}
function vanished2(path, cause) {
  return new SluiceError("ERR_FILE_CHANGED", `${path} vanished or became something else while it was looked at`, {
    cause,
    hint: "Let the program that writes there end, then run again."
  });
}
function unreadable2(path, cause) {
  return new SluiceError("ERR_FILE_UNREADABLE", `${path} cannot be read (${errnoOf(cause) ?? "unknown error"})`, {
    cause,
    hint: "Check its permissions, and the disk."
  });
}
function hashOpenFile(fd, size, digests, i, scratch) {
  if (size < LOOSE_BYTES) {
    const read = readSync(fd, scratch, 0, size + 1, null);
    if (read !== size)
      return false;
    putDigest(scratch.subarray(0, read), digests, i);
    return true;
  }
  const sha = createHash7("sha256");
  let total = 0;
  for (; ; ) {
    const read = readSync(fd, scratch, 0, scratch.length, null);
    if (read === 0)
      break;
    total += read;
    sha.update(scratch.subarray(0, read));
  }
  sha.digest().copy(digests, i * RAW_DIGEST_BYTES);
  return total === size;
}
function putDigest(bytes, digests, i) {
  digests.write(hash4("sha256", bytes, "binary"), i * RAW_DIGEST_BYTES, "latin1");
}
function sameStat(stat, stats, i) {
  const at = i * STAT_FIELDS;
  return stat.size === stats[at] && stat.mtimeMs === stats[at + 1] && changeTime(stat) === stats[at + 2] && stat.ino === stats[at + 3];
}
function setStat(stat, stats, i) {
  stats.set([stat.size, stat.mtimeMs, changeTime(stat), stat.ino], i * STAT_FIELDS);
}

// packages/engine/dist/workspace/place-batch.js
import { constants as constants3 } from "node:fs";
function placeBatch(batch, reader, files) {
  const paths = batch.paths.split("\0");
  const linkPaths = batch.linkPaths.split("\0");
  const stats = new Float64Array(paths.length * 4);
  const digests = Buffer.from(batch.digests.buffer, batch.digests.byteOffset, batch.digests.byteLength);
  const problems = [];
  let linked = 0;
  for (let i = 0; i < paths.length; i++) {
    const file = {
      path: batch.base + (paths[i] ?? ""),
      kind: batch.kinds[i] ?? 0,
      size: batch.sizes[i] ?? 0,
      digests,
      at: i * RAW_DIGEST_BYTES,
      mode: modeOf(batch.kinds[i] ?? 0, batch.readOnly)
    };
    try {
      if (file.kind === LINK)
        placeLink(linkPaths[i] ?? "", file, reader, files);
      else if (placeFile(file, batch.how, reader, files, stats, i))
        linked++;
      if (file.kind === LINK)
        putStat(stats, i, files.lstatSync(file.path));
    } catch (error) {
      problems.push(toErrorWire(explainTaken(error, file.path)));
    }
  }
  return { stats, problems, linked };
}
function modeOf(kind, readOnly) {
  const mode = kind === EXECUTABLE ? 511 : 438;
  return readOnly ? mode & 365 : mode;
}
function placeLink(path, file, reader, files) {
  const target = Buffer.from(reader.read("blob", file.digests, file.at));
  const problem = linkProblem(path, target);
  if (problem !== void 0)
    throw new SluiceError("ERR_LINK_ESCAPES", `${file.path} ${problem}`);
  files.symlinkSync(target, file.path);
}
function placeFile(file, how, reader, files, stats, i) {
  if (file.size >= LOOSE_BYTES && how[0] !== "copy") {
    const source = reader.linkable(file.digests, file.at);
    if (source !== void 0) {
      for (const kind of how) {
        if (kind === "copy" || !tryLink(kind, source.path, file, files))
          continue;
        if (kind === "hardlink" && source.sealed)
          stats.set([source.bytes, SEAL_SECONDS * 1e3, 0, source.inode], i * 4);
        else
          putStat(stats, i, files.lstatSync(file.path));
        return true;
      }
    }
  }
  const fd = files.openSync(file.path, "wx", file.mode);
  try {
    if (file.size >= LOOSE_BYTES) {
      streamInto(fd, file, reader, files);
    } else {
      writeWhole(files, fd, reader.read("blob", file.digests, file.at), 0);
    }
    const stat = files.fstatSync(fd);
    if (stat.size !== file.size)
      throw wrongSize(file, stat.size);
    putStat(stats, i, stat);
  } finally {
    files.closeSync(fd);
  }
  return false;
}
function tryLink(kind, source, file, files) {
  if (kind === "hardlink" && file.kind === EXECUTABLE)
    return false;
  try {
    if (kind === "hardlink") {
      files.linkSync(source, file.path);
      return true;
    }
    files.copyFileSync(source, file.path, constants3.COPYFILE_FICLONE_FORCE | constants3.COPYFILE_EXCL);
    const fd = files.openSync(file.path, "r");
    try {
      files.fchmodSync(fd, file.mode & ~process.umask());
    } finally {
      files.closeSync(fd);
    }
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EINVAL", "EPERM", "EMLINK", "ENOTTY", "EACCES"].includes(code)) {
      return false;
    }
    throw error;
  }
}
function wrongSize(file, size) {
  return new SluiceError("ERR_TREE_INVALID", `${file.path}: its tree says ${file.size} bytes, its object has ${size}`);
}
function explainTaken(error, path) {
  if (errnoOf(error) !== "EEXIST")
    return error;
  return new SluiceError("ERR_FILE_NAME", `${path} is there already: this file system does not tell two names of the tree apart`, {
    cause: error,
    hint: "Rename one of the files where the data is made, or check it out on a file system that is case-sensitive."
  });
}
function putStat(stats, i, stat) {
  stats.set([stat.size, stat.mtimeMs, changeTime(stat), stat.ino], i * 4);
}
function streamInto(fd, file, reader, files) {
  let position = 0;
  reader.stream(file.digests, file.at, (chunk) => {
    writeWhole(files, fd, chunk, position);
    position += chunk.length;
  }, () => {
    files.ftruncateSync(fd, 0);
    position = 0;
  });
}

// packages/engine/dist/workspace/thread.js
function memoryOf(request, answer) {
  if (request.do === "receive")
    return buffersOf([request.bytes]);
  if (request.do !== "encode")
    return [];
  const { chunks } = answer !== void 0 && answer !== null && "chunks" in answer ? answer : request.pack;
  return buffersOf(chunks);
}
function buffersOf(chunks) {
  return chunks.flatMap(({ buffer, byteOffset }) => buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength > Buffer.poolSize ? [buffer] : []);
}
var BulkThread = class {
  files;
  scratch;
  ingestors = /* @__PURE__ */ new Map();
  growing = /* @__PURE__ */ new Map();
  reader;
  constructor(files) {
    this.files = files;
  }
  handle(request) {
    switch (request.do) {
      case "stat": {
        const columns = entryColumns(request.batch.names.length);
        statEntries(request.batch, columns, 0);
        return columns;
      }
      case "hash":
        return hashBatch(request.batch, void 0, this.buffer());
      case "begin-ingest": {
        const layout = storeLayout(request.storeDir);
        this.ingestors.set(request.id, new Ingestor(this.files, request.settings, new Catalog(this.files, layout)));
        return null;
      }
      case "ingest":
        return hashBatch(request.batch, this.openIngestor(request.id), this.buffer());
      case "finish-ingest": {
        const unpublished = this.openIngestor(request.id).finish();
        this.ingestors.delete(request.id);
        return unpublished;
      }
      case "abandon-ingest":
        this.ingestors.get(request.id)?.abandon();
        this.ingestors.delete(request.id);
        return null;
      case "place":
        return placeBatch(request.batch, this.openReader(request.storeDir), this.files);
      case "end-place":
        this.reader?.reader.close();
        this.reader = void 0;
        return null;
      case "encode":
        return encodePack(request.pack);
      case "cut":
        return cutBlob(this.openReader(request.storeDir), request.blob);
      case "receive":
        this.openGrowing(request.path).write(request.bytes, request.offset);
        return request.bytes;
      case "finish-receiving": {
        const file = this.openGrowing(request.path);
        this.growing.delete(request.path);
        return file.finish(request.size) ?? null;
      }
      case "stop-receiving":
        this.growing.get(request.path)?.close();
        this.growing.delete(request.path);
        return null;
    }
  }
  buffer() {
    this.scratch ??= scratchBuffer();
    return this.scratch;
  }
  openIngestor(id) {
    const ingestor = this.ingestors.get(id);
    if (ingestor === void 0)
      throw new Error("no such ingest was begun on this thread");
    return ingestor;
  }
  openGrowing(path) {
    const file = this.growing.get(path) ?? new GrowingFile(this.files, path);
    this.growing.set(path, file);
    return file;
  }
  openReader(dir) {
    if (this.reader?.dir !== dir) {
      this.reader?.reader.close();
      this.reader = { dir, reader: new ObjectReader(this.files, storeLayout(dir)) };
    }
    return this.reader.reader;
  }
};

// packages/engine/dist/workspace/worker.js
var thread = new BulkThread(realFiles);
parentPort?.on("message", (request) => {
  try {
    const value = thread.handle(request);
    parentPort?.postMessage({ value }, memoryOf(request, value));
  } catch (error) {
    parentPort?.postMessage(error instanceof StoreMoved ? { moved: true } : { error: toErrorWire(asSluiceError(error)) });
  }
});
