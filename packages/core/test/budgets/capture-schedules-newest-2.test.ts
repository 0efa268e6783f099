import { SDKS } from '../capture/sdk.js';
import { schedules } from './capture-schedules.js';

const { version, Anthropic } = SDKS[0]!;
describe(`@anthropic-ai/sdk ${version}`, () => {
  schedules(Anthropic, 1);
});
