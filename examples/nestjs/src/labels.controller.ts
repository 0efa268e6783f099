import type Anthropic from '@anthropic-ai/sdk';
import { InjectAnthropic, TrackFeature } from '@claude-metrics/nestjs';
import { Body, Controller, Post } from '@nestjs/common';
import { MODELS, question, textOf } from 'example-shared';

@Controller('labels')
@TrackFeature('classify')
export class LabelsController {
  constructor(@InjectAnthropic() private readonly client: Anthropic) {}

  @Post()
  async label(@Body() body: { texts: string[] }): Promise<{ labels: string[] }> {
    const labels = await Promise.all(
      body.texts.map(async (text) => {
        const message = await this.client.messages.create({
          model: MODELS.classify,
          max_tokens: 16,
          messages: [question(text)],
        });
        return textOf(message);
      }),
    );
    return { labels };
  }
}
