import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';

declare const NEST_MAJOR: number;

/** The platforms that every behaviour is tried on. */
export type App = NestExpressApplication | NestFastifyApplication;

export interface Platform {
  readonly name: 'express' | 'fastify';
  /** As `main.ts` does it; with Nest's parsers of bodies, or as the platform is without them. */
  create(module: unknown, bodyParser?: boolean): Promise<App>;
  /** Authentication of an application: a middleware of Express, a hook of Fastify. */
  authenticate(app: App, userOf: (header: HeaderOf) => Promise<unknown>): void;
  /** A JSON answer of a handler that has the response in its hands. */
  json(response: unknown, body: unknown): void;
  /** Sends text as it comes. */
  stream(response: unknown, chunks: AsyncIterable<string>): Promise<void>;
  sent(response: unknown): boolean;
}

export type HeaderOf = (name: string) => string | undefined;

/** A request of either platform, as far as tests read it. */
export interface TestRequest {
  readonly headers: IncomingMessage['headers'];
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  user?: { readonly id?: unknown };
}

/** Errors are to be thrown here, not to end the process. */
const OPTIONS = { logger: false, abortOnError: false, forceCloseConnections: true } as const;

export const headerOf =
  (request: { readonly headers: IncomingMessage['headers'] }): HeaderOf =>
  (name) => {
    const value = request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  };

const express: Platform = {
  name: 'express',
  create: (module, bodyParser = true) =>
    NestFactory.create<NestExpressApplication>(module as Type, new ExpressAdapter(), {
      ...OPTIONS,
      bodyParser,
    }),
  authenticate(app, userOf) {
    app.use(async (request: TestRequest, _: unknown, next: (error?: unknown) => void) => {
      try {
        Object.assign(request, { user: await userOf(headerOf(request)) });
        next();
      } catch (error) {
        next(error);
      }
    });
  },
  json(response, body) {
    const express = response as ServerResponse;
    express.setHeader('content-type', 'application/json');
    express.end(JSON.stringify(body));
  },
  async stream(response, chunks) {
    const express = response as ServerResponse;
    express.setHeader('content-type', 'text/plain');
    for await (const chunk of chunks) express.write(chunk);
    express.end();
  },
  sent: (response) => (response as ServerResponse).headersSent,
};

interface Reply {
  readonly raw: ServerResponse;
  type(name: string): Reply;
  send(body: unknown): Reply;
}

/** Express does not care about a final slash; Fastify is told to do the same. */
const ignoreTrailingSlash = true;
const ROUTER =
  NEST_MAJOR === 10 ? { ignoreTrailingSlash } : { routerOptions: { ignoreTrailingSlash } };

const fastify: Platform = {
  name: 'fastify',
  async create(module, bodyParser = true) {
    const app = await NestFactory.create<NestFastifyApplication>(
      module as Type,
      new FastifyAdapter({ forceCloseConnections: true, ...ROUTER }),
      { ...OPTIONS, bodyParser },
    );
    // Fastify refuses what it has no parser for. This one keeps the text, and reads nothing in it.
    if (!bodyParser) {
      const fastify = app.getHttpAdapter().getInstance();
      const form = 'application/x-www-form-urlencoded';
      fastify.addContentTypeParser(form, { parseAs: 'string' }, (_, body, done) =>
        done(null, body),
      );
    }
    return app;
  },
  authenticate(app, userOf) {
    const instance = (app as NestFastifyApplication).getHttpAdapter().getInstance();
    instance.addHook('onRequest', async (request) => {
      Object.assign(request, { user: await userOf(headerOf(request)) });
    });
  },
  json: (response, body) => void (response as Reply).type('application/json').send(body),
  async stream(response, chunks) {
    const body = new PassThrough();
    (response as Reply).type('text/plain').send(body);
    try {
      for await (const chunk of chunks) body.write(chunk);
      body.end();
    } catch (error) {
      body.destroy(error as Error);
    }
  },
  sent: (response) => (response as Reply).raw.headersSent,
};

export const platforms: readonly Platform[] = [express, fastify];

export interface Running {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(app: App): Promise<Running> {
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { origin: `http://127.0.0.1:${port}`, port, close: () => app.close() };
}
