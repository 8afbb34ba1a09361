import { s3Options, useS3Server } from '../../testing/s3.js';
import { s3Storage } from './s3.js';
import { storageContract } from './storage.suite.js';

const { server, newBucket } = useS3Server();

storageContract('s3', async () => ({ storage: s3Storage(s3Options(server().endpoint, await newBucket())) }));
storageContract('s3, the whole bucket', async () => ({
  storage: s3Storage(s3Options(server().endpoint, await newBucket(), { prefix: '' })),
}));
