import { SDKS } from '../capture/sdk.js';
import { schedules } from './capture-schedules.js';

/** A file for each version, so that they are played side by side. */
const { version, Anthropic } = SDKS[0]!;
describe(`@anthropic-ai/sdk ${version}`, () => {
  schedules(Anthropic);
});
