/**
 * What the application of the canaries is told, and what each canary stands for.
 *
 * - **canary**: a text that is nowhere else. One is planted wherever a person's words or a secret can be;
 *   none may come out anywhere.
 * - **control**: one that is planted where names come out, so that a search which finds nothing is known
 *   to look in the right places.
 */
export interface CanaryPlan {
  /** The simulator. */
  readonly url: string;
  /** Receives alerts. */
  readonly webhook: string;
  readonly store:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'redis'; readonly port: number }
    | { readonly kind: 'postgres'; readonly folder: string };
  /** A folder for what the mount answers. */
  readonly pages: string;
  readonly control: string;
  readonly canaries: Canaries;
}

export const PLACES = [
  ...['prompt', 'system', 'image', 'document', 'title', 'toolName', 'toolSchema', 'toolResult'],
  ...['stopSequence', 'metadata', 'header', 'apiKey', 'customId', 'url', 'cookie', 'body'],
  ...['answer', 'thinking', 'toolInput', 'citation', 'errorBody', 'streamError', 'page'],
  ...['thrown', 'comment', 'userId', 'hmacKey', 'mountToken', 'webhookSecret', 'address'],
] as const;

export type Canaries = Readonly<Record<(typeof PLACES)[number], string>>;

/** What the simulator answers, by this header of the request. */
export const KIND = 'x-kind';
