import { SluiceError } from '../../errors.js';
import { nameProblem, type RelPath, tryParseRelPath } from '../../model/path.js';

/** A name in an archive, as a path below the directory that it is unpacked to. */
export interface EntryPath {
  readonly path: RelPath;
  readonly isDirectory: boolean;
}

/** What file systems take, in bytes; a longer name would fail half-way. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 2048;

/** Directories above a name are looked at one by one. */
const MOST_PARTS = 200;

/**
 * Checks the names in an archive, all of them before anything is written: none leads out of the directory, by `..`, from a root or drive, or
 * with backslashes; no two are one file, on a file system that does not tell upper from lower case or Unicode forms apart either; and
 * none lies below a file. Throws `ERR_ARCHIVE_UNSAFE` with the first that is wrong.
 */
export function checkEntryNames(names: readonly string[]): EntryPath[] {
  return names.map(createNameCheck());
}

/** The same for names that come one by one; each is compared with those before it. */
export function createNameCheck(): (name: string) => EntryPath {
  const seen = new Map<string, Seen>();
  return (name) => {
    const entry = parseEntryName(name);
    const segments = entry.path.split('/');
    for (let count = 1; count < segments.length; count++) {
      claim(seen, segments.slice(0, count).join('/'), name, 'parent');
    }
    claim(seen, entry.path, name, entry.isDirectory ? 'directory' : 'file');
    return entry;
  };
}

function parseEntryName(name: string): EntryPath {
  const problem = unsafeBeginning(name);
  if (problem !== undefined) throw unsafe(name, problem);
  const isDirectory = name.endsWith('/');
  const text = name.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
  const path = tryParseRelPath(text);
  if (path === undefined || path === '') {
    const segment = text.split('/').find((part) => nameProblem(part) !== undefined);
    throw unsafe(name, segment === undefined ? 'names nothing' : `has a part that ${nameProblem(segment)}`);
  }
  if (Buffer.byteLength(path) > LONGEST_PATH) throw unsafe(name, 'is too long');
  if (path.split('/').length > MOST_PARTS) throw unsafe(name, 'is too deep');
  if (path.split('/').some((part) => Buffer.byteLength(part) > LONGEST_NAME)) throw unsafe(name, 'is too long');
  return { path, isDirectory };
}

function unsafeBeginning(name: string): string | undefined {
  if (name.includes('\\')) return 'holds a backslash';
  if (name.startsWith('/')) return 'is absolute';
  if (/^[A-Za-z]:/.test(name)) return 'begins with a drive';
  if (/\p{Cc}/u.test(name)) return 'holds a control character';
  return undefined;
}

interface Seen {
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'parent';
}

function claim(seen: Map<string, Seen>, path: string, name: string, kind: Seen['kind']): void {
  const key = path.normalize('NFC').toLowerCase().toUpperCase();
  const other = seen.get(key);
  if (other === undefined) {
    seen.set(key, { path, name, kind });
    return;
  }
  if (other.path !== path) {
    throw unsafe(name, `and ${JSON.stringify(other.name)} are one name where upper and lower case are not told apart`);
  }
  if (other.kind === 'file' || kind === 'file') {
    throw unsafe(
      name,
      other.kind === kind ? 'is there twice' : `and ${JSON.stringify(other.name)} are file and directory`,
    );
  }
  // A directory may be listed and be named by what lies in it, but not be listed twice.
  if (other.kind === 'directory' && kind === 'directory') throw unsafe(name, 'is there twice');
  if (other.kind === 'parent' && kind === 'directory') seen.set(key, { path, name, kind });
}

function unsafe(name: string, problem: string): SluiceError {
  return new SluiceError('ERR_ARCHIVE_UNSAFE', `${JSON.stringify(name)} in the archive ${problem}`, {
    hint: 'Nothing was unpacked. Look at the archive with another tool, and pack it again without this entry.',
    details: { name },
  });
}
