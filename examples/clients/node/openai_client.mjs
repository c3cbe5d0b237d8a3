// Asks a running server with OpenAI's own client. Usage: node openai_client.mjs BASE_URL [API_KEY]; exit code 0 if every answer is as it must be.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseURL, apiKey = 'none'] = process.argv.slice(2);
if (!baseURL) {
  console.error('usage: node openai_client.mjs BASE_URL [API_KEY], for example http://127.0.0.1:8000/v1');
  process.exit(2);
}

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 180_000 });
const messages = [{ role: 'user', content: 'Say something about yourself.' }];
const limits = { max_tokens: 16, temperature: 0, seed: 1 };

const models = [];
for await (const model of client.models.list()) {
  models.push(model.id);
}
assert.ok(models.length > 0, 'no models');
const model = models[0];
assert.equal((await client.models.retrieve(model)).id, model);

const chat = await client.chat.completions.create({ model, messages, ...limits });
assert.equal(chat.object, 'chat.completion');
assert.equal(chat.model, model);
assert.equal(chat.choices.length, 1);
assert.equal(chat.choices[0].message.role, 'assistant');
const text = chat.choices[0].message.content;
assert.equal(typeof text, 'string');
assert.ok(['stop', 'length'].includes(chat.choices[0].finish_reason));
assert.ok(chat.usage.completion_tokens > 0 && chat.usage.completion_tokens <= 16);
assert.equal(chat.usage.total_tokens, chat.usage.prompt_tokens + chat.usage.completion_tokens);

const stream = await client.chat.completions.create({ model, messages, ...limits, stream: true, stream_options: { include_usage: true } });
let streamed = '';
let reason = null;
let usage = null;
for await (const chunk of stream) {
  assert.equal(chunk.object, 'chat.completion.chunk');
  streamed += chunk.choices[0]?.delta?.content ?? '';
  reason = chunk.choices[0]?.finish_reason ?? reason;
  usage = chunk.usage ?? usage;
}
assert.equal(streamed, text, 'the stream is not the whole answer');
assert.equal(reason, chat.choices[0].finish_reason);
assert.equal(usage.total_tokens, chat.usage.total_tokens);

const withHelper = await client.chat.completions.stream({ model, messages, ...limits }).finalContent();
assert.equal(withHelper, text);

const logprobs = await client.chat.completions.create({ model, messages, ...limits, logprobs: true, top_logprobs: 2 });
assert.equal(logprobs.choices[0].logprobs.content.length, logprobs.usage.completion_tokens);
assert.equal(logprobs.choices[0].logprobs.content[0].top_logprobs.length, 2);

const completion = await client.completions.create({ model, prompt: 'Once upon a time', ...limits });
assert.equal(completion.object, 'text_completion');
assert.equal(typeof completion.choices[0].text, 'string');

let completed = '';
for await (const chunk of await client.completions.create({ model, prompt: 'Once upon a time', ...limits, stream: true })) {
  completed += chunk.choices[0]?.text ?? '';
}
assert.equal(completed, completion.choices[0].text);

const response = await client.responses.create({ model, input: messages[0].content, max_output_tokens: 16, temperature: 0 });
assert.ok(['completed', 'incomplete'].includes(response.status));
let said = '';
for await (const event of await client.responses.create({ model, input: messages[0].content, max_output_tokens: 16, temperature: 0, stream: true })) {
  said += event.type === 'response.output_text.delta' ? event.delta : '';
}
assert.equal(said, response.output_text);

const tools = [{
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { enum: ['Oslo', 'Rome'] } }, required: ['city'], additionalProperties: false },
  },
}];
for (const tool_choice of ['required', { type: 'function', function: { name: 'get_weather' } }]) {
  const asked = await client.chat.completions.create({ model, messages, tools, tool_choice, max_tokens: 200, temperature: 0 });
  const call = asked.choices[0].message.tool_calls[0];
  assert.equal(call.function.name, 'get_weather');
  assert.ok(['Oslo', 'Rome'].includes(JSON.parse(call.function.arguments).city));
  const final = await client.chat.completions.stream({ model, messages, tools, tool_choice, max_tokens: 200, temperature: 0 }).finalMessage();
  assert.equal(final.tool_calls[0].function.arguments, call.function.arguments);
}

const embedded = await client.embeddings.create({ model, input: ['Hello', 'Good bye'] });
const listed = await client.embeddings.create({ model, input: 'Hello', encoding_format: 'float' });
assert.equal(embedded.data.length, 2);
listed.data[0].embedding.forEach((value, i) => assert.ok(Math.abs(value - embedded.data[0].embedding[i]) < 1e-6));

await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages }),
    (error) => error instanceof OpenAI.NotFoundError && /does not exist/.test(error.message));
await assert.rejects(client.chat.completions.create({ model, messages, temperature: -1 }),
    (error) => error instanceof OpenAI.BadRequestError && error.param === 'temperature');

console.log(`ok: openai for JavaScript, model ${model}, answered ${JSON.stringify(text)}`);
