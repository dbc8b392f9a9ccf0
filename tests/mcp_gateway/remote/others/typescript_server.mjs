// A server on the TypeScript SDK, of both eras on one URL; it prints its port.
import { createServer } from 'node:http';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

function server() {
  const made = new McpServer({ name: 'typescript', version: '1.0.0' });
  made.registerTool(
    'add',
    { title: 'Add', description: 'The sum.', inputSchema: z.object({ a: z.number(), b: z.number() }), outputSchema: z.object({ sum: z.number() }) },
    ({ a, b }) => ({ content: [{ type: 'text', text: `${a + b}` }], structuredContent: { sum: a + b } }),
  );
  made.registerTool('files.read', { description: 'A name with a dot.', inputSchema: z.object({}) }, () => ({
    content: [{ type: 'resource', resource: { uri: 'file:///notes', text: 'inside' } }],
  }));
  made.registerTool('refuse', { description: 'It never works.', inputSchema: z.object({}) }, () => {
    throw new Error('No.');
  });
  return made;
}

const handler = createMcpHandler(server);

const http = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  const headers = new Headers(Object.entries(request.headers).filter(([name]) => name !== 'transfer-encoding'));
  const answer = await handler.fetch(new Request(`http://127.0.0.1${request.url}`, { method: request.method, headers, body }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body) for await (const part of answer.body) response.write(part);
  response.end();
});
http.listen(0, '127.0.0.1', () => console.log(http.address().port));
