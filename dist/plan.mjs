import { runStep } from './index.mjs';
await runStep('plan', { readOnly: true });
