import { claudeMonitor, trackFeature } from '@claude-metrics/koa';
import Koa from 'koa';

export const app = new Koa<{ account: { id: string } }>();
app.use(claudeMonitor());
app.use(claudeMonitor({ userId: (ctx: Koa.Context) => ctx.state['account'] }));
app.use(trackFeature('greet'));
