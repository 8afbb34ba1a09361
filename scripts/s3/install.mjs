// @ts-check
// The S3 server that tests and benchmarks run against: `node scripts/s3/install.mjs`.
import { pathToFileURL } from 'node:url';
import { installGoTool } from '../go-tool.mjs';

/** Path of the server's program. */
export const installS3Server = () =>
  installGoTool({
    name: 'versitygw',
    path: 'github.com/versity/versitygw/cmd/versitygw',
    version: 'v1.8.0',
    takes: 'about 100 s',
    otherwise:
      ', or SLUICE_TEST_S3_ENDPOINT with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, where tests ask for a bucket',
  });

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Tests that need no S3 run all the same; those that do fail with this sentence.
  if (!process.env.SLUICE_TEST_S3_ENDPOINT) {
    await installS3Server().catch((/** @type {Error} */ error) => console.error(`setup: ${error.message}`));
  }
}
