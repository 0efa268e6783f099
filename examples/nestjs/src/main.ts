// npm start -- [--live] [--quiet]
import { runExample } from 'example-shared';
import { start } from './start.js';

await runExample(start);
