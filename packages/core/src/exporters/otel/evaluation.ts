import type { GivenFeedback } from '../../record.js';
import type { OtelAttributes, OtelEvent } from './api.js';

/**
 * Feedback as the event that the conventions have for judgements of an answer: here it is a person who
 * judges. What that person wrote stays here.
 */
export function evaluationOf(given: GivenFeedback, hash: string | null): OtelEvent {
  const { action, score, messageId, callId, model, feature } = given;
  const attributes: OtelAttributes = {
    'gen_ai.evaluation.name': 'user_feedback',
    'gen_ai.evaluation.score.label': action,
    ...(score !== null && { 'gen_ai.evaluation.score.value': score }),
    ...(messageId !== null && { 'gen_ai.response.id': messageId }),
    'gen_ai.request.model': model,
    'claude_metrics.call_id': callId,
    ...(feature !== null && { 'claude_metrics.feature': feature }),
    ...(hash !== null && { 'user.hash': hash }),
  };
  return { eventName: 'gen_ai.evaluation.result', attributes };
}
