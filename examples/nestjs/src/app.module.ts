// The application, as a team would have it: three features, users who sign in, one module of ours.
import { BudgetExceededFilter, ClaudeMetricsModule } from '@claude-metrics/nestjs';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import type Anthropic from '@anthropic-ai/sdk';
import { alerts, budgets, openStore } from 'example-shared';
import { ChatController } from './chat.controller.js';
import { ClaudeErrorFilter } from './claude-error.filter.js';
import { LabelsController } from './labels.controller.js';
import { SignInGuard } from './sign-in.guard.js';
import { SummariesController } from './summaries.controller.js';
import { Summariser } from './summariser.js';

@Module({})
export class AppModule {
  /** `client`: an ordinary client of the SDK; the module observes it. */
  static with(client: Anthropic): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ClaudeMetricsModule.forRoot({ anthropic: client, store: openStore(), budgets, alerts }),
      ],
      controllers: [ChatController, LabelsController, SummariesController],
      providers: [
        Summariser,
        { provide: APP_GUARD, useClass: SignInGuard },
        { provide: APP_FILTER, useClass: ClaudeErrorFilter },
        // Refused by a budget: 429, with what programs need to know.
        { provide: APP_FILTER, useClass: BudgetExceededFilter },
      ],
    };
  }
}
