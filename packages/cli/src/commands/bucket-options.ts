import type { BucketSettings } from '@sluice/engine';
import { type Command, Option } from 'commander';

/** Adds the options that say how a bucket is spoken to: the settings of an S3 remote. */
export function withBucketOptions(command: Command): Command {
  return command
    .option('--region <region>', 'region of the bucket')
    .option('--endpoint <url>', 'service that is not AWS, such as http://localhost:9000')
    .option('--force-path-style', 'put the bucket in the path, not in the host name')
    .option('--profile <name>', 'profile of the AWS configuration')
    .option('--anonymous', 'sign no request, for a public bucket')
    .option('--request-payer', 'pay for the requests instead of the owner of the bucket');
}

/** Adds those that say how objects are kept there. */
export function withKeepingOptions(command: Command): Command {
  return command
    .option('--storage-class <class>', 'storage class of objects from 128 KiB up')
    .addOption(new Option('--sse <kind>', 'encryption by the service').choices(['AES256', 'aws:kms']))
    .option('--kms-key <key>', 'id or ARN of the key for aws:kms');
}

/** What these options give, as the engine takes it, and the others. */
export function splitBucketOptions<T extends BucketSettings>(
  options: T,
): { readonly s3: { readonly s3?: BucketSettings }; readonly others: Omit<T, keyof BucketSettings> } {
  const { region, endpoint, forcePathStyle, profile, anonymous, requestPayer, storageClass, sse, kmsKey, ...others } =
    options;
  const all = { region, endpoint, forcePathStyle, profile, anonymous, requestPayer, storageClass, sse, kmsKey };
  const given: BucketSettings = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { s3: Object.keys(given).length === 0 ? {} : { s3: given }, others };
}
