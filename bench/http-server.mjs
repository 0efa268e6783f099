// A hello-world server of one framework and variant; on a message it tells the CPU it has used so far.
import { claudeMonitor as expressMonitor } from '@claude-metrics/express';
import { claudeMonitor as koaMonitor } from '@claude-metrics/koa';
import express from 'express';
import Koa from 'koa';

const [framework, variant] = process.argv.slice(2);
const options = { log: false, path: false };

// What the middleware is compared with: one that only reads a header.
const applications = {
  express() {
    const app = express();
    if (variant === 'header') app.use((req, _res, next) => (req.headers['x-request-id'], next()));
    if (variant === 'claudeMonitor') app.use(expressMonitor(options));
    app.get('/', (_req, res) => void res.end('hello'));
    return app;
  },
  koa() {
    const app = new Koa();
    if (variant === 'header') app.use((ctx, next) => (ctx.get('x-request-id'), next()));
    if (variant === 'claudeMonitor') app.use(koaMonitor(options));
    app.use((ctx) => void (ctx.body = 'hello'));
    return app;
  },
};

const server = applications[framework]().listen(0, '127.0.0.1', () => {
  process.send(server.address().port);
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send(user + system);
});
