import type Anthropic from '@anthropic-ai/sdk';
import { InjectAnthropic } from '@claude-metrics/nestjs';
import { Body, Controller, Post, Res } from '@nestjs/common';
import { MODELS, question } from 'example-shared';
import type { ServerResponse } from 'node:http';

@Controller('chat')
export class ChatController {
  constructor(@InjectAnthropic() private readonly client: Anthropic) {}

  // The feature is the route, `POST /chat/:room`: no name was given.
  @Post(':room')
  async chat(@Body() body: { text: string }, @Res() response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.on('close', () => left.abort());
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    const stream = this.client.messages.stream(
      { model: MODELS.chat, max_tokens: 1024, messages: [question(body.text)] },
      { signal: left.signal },
    );
    try {
      for await (const event of stream) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
          response.write(event.delta.text);
        }
      }
    } catch (error) {
      if (!left.signal.aborted) throw error;
    }
    response.end();
  }
}
