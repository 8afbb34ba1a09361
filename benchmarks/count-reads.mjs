// @ts-check
// node --import count-reads.mjs PROGRAM: adds up the bytes that the program reads from files below BENCH_READS_BELOW, and writes the sum into BENCH_READS_FILE at its end.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { BENCH_READS_BELOW: below = '', BENCH_READS_FILE: file = '' } = process.env;
let bytes = 0;
const { open } = fs.promises;

fs.promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest);
  if (String(path).startsWith(below)) {
    const read = handle.read.bind(handle);
    Object.assign(handle, {
      read: async (/** @type {any[]} */ ...args) => {
        const result = await Reflect.apply(read, undefined, args);
        bytes += result.bytesRead;
        return result;
      },
    });
  }
  return handle;
};
syncBuiltinESMExports();
process.on('exit', () => fs.writeFileSync(file, String(bytes)));
