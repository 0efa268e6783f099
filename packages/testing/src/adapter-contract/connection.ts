import { Agent, request } from 'node:http';

/** One connection to a server of 127.0.0.1, kept for the next request as browsers do. */
export interface Connection {
  /** Without a length of its own, the body is sent in chunks. */
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answer>;
  close(): void;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** It came over the connection of the request before it. */
  readonly reused: boolean;
}

export function connectTo(port: number): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    post: (path, headers, body) =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, path, method: 'POST', headers, agent };
        const sent = request(options, (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => (text += chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 0, text, reused: sent.reusedSocket });
          });
        });
        sent.on('error', reject);
        sent.write(body);
        sent.end();
      }),
    close: () => agent.destroy(),
  };
}
