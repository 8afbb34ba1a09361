// @ts-check
// Loaded into a measured Node program with --import where there is no GNU time: writes the program's peak resident size as it ends.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env.BENCH_PEAK_FILE;
  if (file !== undefined) writeFileSync(file, String(process.resourceUsage().maxRSS));
});
