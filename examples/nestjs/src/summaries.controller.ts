import { Body, Controller, Inject, Post } from '@nestjs/common';
import { Summariser, type Summary } from './summariser.js';

@Controller('summaries')
export class SummariesController {
  constructor(@Inject(Summariser) private readonly summariser: Summariser) {}

  @Post()
  summarise(@Body() body: { text: string }): Promise<Summary> {
    return this.summariser.summarise(body.text);
  }
}
