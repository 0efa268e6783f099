// node src/main.mjs [--live] [--quiet]
import { runExample, serve } from 'example-shared';
import { createApp } from './app.mjs';

await runExample(({ client, port }) => serve(createApp(client), port));
