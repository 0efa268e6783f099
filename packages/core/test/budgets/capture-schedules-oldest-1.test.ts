import { SDKS } from '../capture/sdk.js';
import { schedules } from './capture-schedules.js';

const { version, Anthropic } = SDKS[1]!;
describe(`@anthropic-ai/sdk ${version}`, () => {
  schedules(Anthropic, 0);
});
