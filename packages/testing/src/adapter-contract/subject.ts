/**
 * What an adapter under test has to bring along, and what it is asked for.
 *
 * - **subject**: an adapter under test, with the framework it runs on.
 * - **application**: what a case needs, in words that every framework has; the subject builds it.
 */

/** One behaviour. `run()` rejects when the adapter does not have it, and leaves nothing open. */
export interface ContractCase {
  readonly name: string;
  run(): Promise<void>;
}

export interface AdapterSubject {
  readonly core: ContractCore;
  /** The SDK's client. */
  readonly Anthropic: new (options: ContractClientOptions) => ContractClient;
  /** `supertest`. */
  readonly request: (origin: string) => ContractAgent;
  /** Carries context in this namespace of cls-hooked, instead of AsyncLocalStorage. */
  readonly namespace?: unknown;
  /** Builds the application and listens on 127.0.0.1, on a port of the system's choice. */
  start(application: ContractApplication): Promise<ContractServer>;
}

/** What an application has, from the outside to the inside. */
export interface ContractApplication {
  /**
   * One adapter each (`claudeMonitor(options)`, `forRoot(options)`), in the order they are added.
   * Functions among the options read the request's `headers`, which every framework has.
   */
  readonly adapters: readonly Readonly<Record<string, unknown>>[];
  /** Everything, the adapters too, is mounted below this path (`/api`). */
  readonly prefix?: string | undefined;
  /**
   * Runs for every request after the adapters and before the routes, as authentication does. What it
   * resolves to is put where the framework's users keep the user of a request.
   */
  readonly authenticate?: ((header: ContractHeaders) => Promise<unknown>) | undefined;
  /**
   * Where the framework's parsers of JSON and of forms stand: `before` the adapters, so that they have
   * read a body of the dashboard's already, or not. Default as applications usually have it.
   */
  readonly bodyParser?: 'before' | 'after' | undefined;
  /** The adapter's handler of budget errors is where its documentation puts it. Default `false`. */
  readonly handlesBudgetErrors?: boolean | undefined;
  readonly routes: readonly ContractRoute[];
}

export type ContractHeaders = (name: string) => string | undefined;

export interface ContractRoute {
  readonly method: 'GET' | 'POST';
  /** With `:name` for a parameter, as every framework of ours writes it. */
  readonly path: string;
  /** `trackFeature(feature)` or `@TrackFeature(feature)`. */
  readonly feature?: string | undefined;
  /** What it resolves to is the JSON answer. What it throws is the framework's to handle. */
  handle(request: ContractRequest): Promise<unknown>;
}

export interface ContractRequest {
  readonly params: Readonly<Record<string, string>>;
  /** The parsed JSON body of a `POST`. */
  readonly body: unknown;
  readonly header: ContractHeaders;
  /**
   * Sends text as it comes, instead of a JSON answer. Resolves when everything is out, or earlier
   * where the framework sends only what a handler has returned.
   */
  stream(chunks: AsyncIterable<string>): Promise<void>;
}

export interface ContractServer {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

/** `@claude-metrics/core`, as far as the cases use it. */
export interface ContractCore {
  createMonitor(options: object): ContractMonitor;
  withContext<T>(context: object, fn: () => T): T;
  setContext(patch: object): void;
  bindContext<F extends (...args: never[]) => unknown>(fn: F): F;
}

export interface ContractMonitor {
  on(sink: { readonly name: string; record(call: ContractCall): void }): () => void;
  observe<C>(client: C): C;
  record(call: never): unknown;
  pause(feature: string): void;
  resume(feature: string): boolean;
  health(): { readonly faults: Readonly<Record<string, unknown>> };
  close(): Promise<void>;
}

/** A record, as far as the cases look at it. */
export interface ContractCall {
  readonly userId: string | null;
  readonly feature: string | null;
  readonly sessionId: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly outcome: string;
  readonly error: { readonly kind: string; readonly type: string | null } | null;
  /** One for each HTTP request. */
  readonly attempts: readonly unknown[];
  readonly messageId: string | null;
  /** The HTTP status that Claude answered with. */
  readonly status: number | null;
}

export interface ContractClientOptions {
  apiKey: string;
  baseURL: string;
  maxRetries?: number;
  logLevel?: 'off';
}

export interface ContractClient {
  readonly messages: {
    create(request: never): PromiseLike<unknown>;
    stream(request: never): ContractStream;
  };
}

/** The SDK's helper around a stream. */
export interface ContractStream {
  once(event: 'text', listener: () => void): unknown;
  done(): PromiseLike<unknown>;
}

/** An agent of supertest, structurally. */
export interface ContractAgent {
  get(path: string): ContractTest;
  head(path: string): ContractTest;
  post(path: string): ContractTest;
}

export interface ContractTest extends PromiseLike<ContractResponse> {
  set(headers: object): ContractTest;
  /** `form` for what a form sends. */
  type(name: string): ContractTest;
  send(body: object | string): ContractTest;
}

export interface ContractResponse {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}
