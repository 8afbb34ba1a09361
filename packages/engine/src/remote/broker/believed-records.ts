import { SluiceError } from '../../errors.js';
import { digestFromRaw } from '../../model/digest.js';
import { parseKey } from '../keys.js';
import { judgeRecord, LARGEST_RECORD_BYTES } from '../records.js';
import type { Remote } from '../remote.js';
import type { Storage } from '../storage/port.js';

/**
 * A storage without the records that are not signed although they have to be: for those who have no key to find out themselves. What cannot be read is passed on; they refuse it.
 */
export function believedRecords({
  storage,
  ...judge
}: Pick<Remote, 'storage' | 'description' | 'signatures' | 'refused'>): Storage {
  if (!judge.signatures.needed.records) return storage;
  return {
    ...storage,
    get: async (key, range, options) => {
      const named = parseKey(key);
      if (named?.kind !== 'records') return storage.get(key, range, options);
      const bytes = await storage.get(key, { offset: 0, length: LARGEST_RECORD_BYTES }, options);
      try {
        if (bytes !== undefined) judgeRecord(bytes, named.area, digestFromRaw(named.raw), judge);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        judge.refused(error);
        return undefined;
      }
      return bytes?.subarray(range.offset, range.offset + range.length);
    },
  };
}
