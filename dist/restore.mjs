import { runStep } from './index.mjs';
await runStep('main', { readOnly: true });
