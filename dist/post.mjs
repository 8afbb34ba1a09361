import { runStep } from './index.mjs';
await runStep('post', { readOnly: false });
