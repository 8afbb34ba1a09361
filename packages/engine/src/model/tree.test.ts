import { entriesOf, type TestEntry } from '../testing/entries.js';
import { digestFromRaw, digestOf, rawDigestOf } from './digest.js';
import { encodeDirectory } from './split.js';
import { decodeNode, EXECUTABLE, encodeNode, FILE, LINK, MAX_NODE_BYTES, TREE, WHOLE } from './tree.js';

function whole(...list: TestEntry[]): Buffer {
  return encodeNode(WHOLE, entriesOf(list));
}

/** Header and hand-made rest of a node. */
function node(...rest: (Buffer | readonly number[])[]): Buffer {
  return Buffer.concat([Buffer.from('SLT1'), ...rest.map((part) => Buffer.from(part))]);
}

const A = rawDigestOf(Buffer.from('a'));

test('has the bytes of docs/format.md', () => {
  const first = rawDigestOf(Buffer.from('1\n'));
  const second = rawDigestOf(Buffer.from('2\n'));
  const bytes = whole({ name: '2', content: '2\n' }, { name: '1', content: '1\n' });
  expect(bytes.toString('hex')).toBe(
    node([0, 2, 4, 2], [0, 1, 0x31, 2], first, [0, 1, 0x32, 2], second).toString('hex'),
  );
  expect(digestOf(bytes)).toBe('sha256:cba10b481ecd43c4d6441785159664bacddbc2b87d72de879b2d6e9b98965ce9');
});

test('writes large numbers as varints', () => {
  const bytes = whole({ name: 'a', size: 300 }, { name: 'b', kind: TREE, size: 2 ** 40, files: 128 });
  const head = [0x00, 0x81, 0x01, 0xac, 0x82, 0x80, 0x80, 0x80, 0x20, 0x02];
  expect(bytes.subarray(4, 14)).toEqual(Buffer.from(head));
  const decoded = decodeNode(bytes, 'test');
  expect([...decoded.sizes]).toEqual([300, 2 ** 40]);
  expect([...decoded.files]).toEqual([1, 128]);
  expect([decoded.totalFiles, decoded.totalBytes]).toEqual([129, 2 ** 40 + 300]);
});

test('kind, name and content all count', () => {
  const variants = [
    whole(),
    whole({ name: 'a', kind: FILE }),
    whole({ name: 'a', kind: EXECUTABLE }),
    whole({ name: 'a', kind: LINK }),
    whole({ name: 'a', kind: TREE }),
    whole({ name: 'a', kind: TREE, files: 0, size: 0 }),
    whole({ name: 'b', content: 'a' }),
    whole({ name: 'a', content: 'b' }),
  ].map((bytes) => digestOf(bytes));
  expect(new Set(variants).size).toBe(variants.length);
  expect(variants[0]).toBe('sha256:109442026f07507c487276b67e4957ef3d69cace3ef170ab3d41d9ef5d52a7a6');
});

test('a directory with an empty directory is not an empty directory', () => {
  const empty = encodeDirectory(entriesOf([]));
  const entries = entriesOf([{ name: 'empty', kind: TREE, files: 0, size: 0 }]);
  empty.top.raw.copy(entries.digests);
  expect(digestFromRaw(encodeDirectory(entries).top.raw)).not.toBe(digestFromRaw(empty.top.raw));
});

test('orders names by their UTF-8 bytes', () => {
  // UTF-16 would put the second before the first.
  const decoded = decodeNode(whole({ name: '\u{1f600}' }, { name: '\uffee' }, { name: 'a' }, { name: 'B' }), 'test');
  expect(decoded.names).toEqual(['B', 'a', '\uffee', '\u{1f600}']);
});

test('refuses to encode a name that no reader takes', () => {
  expect(() => whole({ name: 'é'.repeat(128) })).toThrow(expect.objectContaining({ code: 'ERR_FILE_NAME' }));
  expect(decodeNode(whole({ name: 'x'.repeat(255) }), 'test').names).toEqual(['x'.repeat(255)]);
});

test.each<[string, Buffer]>([
  ['nothing', Buffer.alloc(0)],
  ['another kind of file', Buffer.from('SLPK\0\0\0\0')],
  ['an unknown shape', node([3, 0, 0, 0])],
  ['an unknown kind', node([0, 1, 0, 1], [4, 1, 0x61, 0], A)],
  ['names out of order', node([0, 2, 0, 2], [0, 1, 0x62, 0], A, [0, 1, 0x61, 0], A)],
  ['a name twice', node([0, 2, 0, 2], [0, 1, 0x61, 0], A, [0, 1, 0x61, 0], A)],
  ['an empty name', node([0, 1, 0, 1], [0, 0, 0], A, [0])],
  ['the name .', node([0, 1, 0, 1], [0, 1, 0x2e, 0], A)],
  ['the name ..', node([0, 1, 0, 1], [0, 2, 0x2e, 0x2e, 0], A)],
  ['a slash', node([0, 1, 0, 1], [0, 3, 0x61, 0x2f, 0x62, 0], A)],
  ['a NUL', node([0, 1, 0, 1], [0, 1, 0, 0], A)],
  ['a name that is not UTF-8', node([0, 1, 0, 1], [0, 1, 0xff, 0], A)],
  ['half of a surrogate pair', node([0, 1, 0, 1], [0, 3, 0xed, 0xa0, 0x80, 0], A)],
  ['a name that is too long', node([0, 1, 0, 1], [0, 0x80, 2], Buffer.alloc(256, 0x61), [0], A)],
  ['wrong files', node([0, 2, 0, 1], [0, 1, 0x61, 0], A)],
  ['wrong bytes', node([0, 1, 1, 1], [0, 1, 0x61, 0], A)],
  ['bytes behind its end', node([0, 1, 0, 1], [0, 1, 0x61, 0], A, [0])],
  ['a number in a longer form', node([0, 0x81, 0, 0, 1], [0, 1, 0x61, 0], A)],
  ['a number over 2^53', node([0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0])],
  ['more entries than bytes', node([0, 1, 0, 2], [0, 1, 0x61, 0], A)],
  ['a billion entries', node([0, 0, 0, 0x80, 0x94, 0xeb, 0xdc, 3])],
])('refuses %s', (_, bytes) => {
  expect(() => decodeNode(bytes, 'test')).toThrow(expect.objectContaining({ code: 'ERR_TREE_INVALID' }));
});

test('says that a newer version is newer', () => {
  const bytes = Buffer.from(whole({ name: 'a' }));
  bytes[3] = 0x32;
  expect(() => decodeNode(bytes, 'test')).toThrow(expect.objectContaining({ code: 'ERR_FORMAT_VERSION' }));
});

test('refuses a node of more than 16 MiB before it reads it', () => {
  const bytes = Buffer.alloc(MAX_NODE_BYTES + 1);
  whole({ name: 'a' }).copy(bytes);
  expect(() => decodeNode(bytes, 'test')).toThrow('too large');
});
