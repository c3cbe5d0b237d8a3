// Holds a conversation with the Vercel AI SDK. Usage: node ai_sdk_client.mjs BASE_URL [API_KEY]; exit code 0 if every answer is as it must be.
import assert from 'node:assert/strict';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText, tool } from 'ai';
import { z } from 'zod';

const [baseURL, apiKey = 'none'] = process.argv.slice(2);
if (!baseURL) {
  console.error('usage: node ai_sdk_client.mjs BASE_URL [API_KEY], for example http://127.0.0.1:8000/v1');
  process.exit(2);
}

const model = createOpenAICompatible({ name: 'maniple', baseURL, apiKey, supportsStructuredOutputs: true })('demo');
const common = { model, temperature: 0, maxRetries: 0, maxOutputTokens: 16, prompt: 'Say something about yourself.' };

const { text } = await generateText(common);
let streamed = '';
for await (const piece of streamText(common).textStream) {
  streamed += piece;
}
assert.equal(streamed, text, 'the stream is not the whole answer');

const tools = {
  get_weather: tool({
    description: 'Get the weather of a city.',
    inputSchema: z.object({ city: z.enum(['Oslo', 'Rome']) }),
    execute: async ({ city }) => `Sunny in ${city}.`,
  }),
};
for (const toolChoice of ['required', { type: 'tool', toolName: 'get_weather' }]) {
  const { toolCalls, toolResults } = await generateText({ ...common, tools, toolChoice, maxOutputTokens: 200 });
  assert.ok(toolCalls.length >= 1, `no call for ${JSON.stringify(toolChoice)}`);
  assert.ok(['Oslo', 'Rome'].includes(toolCalls[0].input.city));
  assert.match(toolResults[0].output, /^Sunny in/);
}

console.log(`ok: the AI SDK, model demo, answered ${JSON.stringify(text)}`);
