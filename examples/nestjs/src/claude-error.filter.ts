import Anthropic from '@anthropic-ai/sdk';
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

/** What Claude could not answer, said without its details. */
@Catch(Anthropic.APIError)
export class ClaudeErrorFilter implements ExceptionFilter {
  catch(error: InstanceType<typeof Anthropic.APIError>, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const status = typeof error.status === 'number' ? error.status : 502;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'Claude could not answer.' }));
  }
}
