import type Anthropic from '@anthropic-ai/sdk';
import { InjectAnthropic, TrackFeature } from '@claude-metrics/nestjs';
import { Injectable } from '@nestjs/common';
import { HOUSE_STYLE, MODELS, question, textOf } from 'example-shared';

export interface Summary {
  readonly summary: string;
  readonly refused: boolean;
}

/** No controller: the feature belongs to whoever calls this. */
@Injectable()
export class Summariser {
  constructor(@InjectAnthropic() private readonly client: Anthropic) {}

  @TrackFeature('summarise')
  async summarise(text: string): Promise<Summary> {
    const message = await this.client.messages.create({
      model: MODELS.summarise,
      max_tokens: 2048,
      system: [{ type: 'text', text: HOUSE_STYLE, cache_control: { type: 'ephemeral' } }],
      messages: [question(text)],
    });
    return { summary: textOf(message), refused: message.stop_reason === 'refusal' };
  }
}
