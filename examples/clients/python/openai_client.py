"""Asks a running server with OpenAI's own client.

Usage: python openai_client.py BASE_URL [API_KEY]; exit code 0 if every answer is as it must be.
"""

import json
import sys

import openai


def expect(condition, what):
    if not condition:
        sys.exit(f"mismatch: {what}")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: python openai_client.py BASE_URL [API_KEY], for example http://127.0.0.1:8000/v1")
    key = sys.argv[2] if len(sys.argv) > 2 else "none"
    client = openai.OpenAI(base_url=sys.argv[1], api_key=key, max_retries=0, timeout=180)
    messages = [{"role": "user", "content": "Say something about yourself."}]
    limits = {"max_tokens": 16, "temperature": 0, "seed": 1}

    models = [model.id for model in client.models.list()]
    expect(models, "there are models")
    model = models[0]
    expect(client.models.retrieve(model).id == model, "a model can be asked for by its id")

    chat = client.chat.completions.create(model=model, messages=messages, **limits)
    expect(chat.object == "chat.completion", "object of a chat")
    expect(chat.model == model, "model of a chat")
    expect(len(chat.choices) == 1 and chat.choices[0].message.role == "assistant", "one choice by the assistant")
    text = chat.choices[0].message.content
    expect(isinstance(text, str), "the content is a text")
    expect(chat.choices[0].finish_reason in ("stop", "length"), "finish reason")
    expect(0 < chat.usage.completion_tokens <= 16, "completion tokens")
    expect(chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens, "total tokens")

    streamed, reason, usage = "", None, None
    for chunk in client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}, **limits
    ):
        expect(chunk.object == "chat.completion.chunk", "object of a chunk")
        for choice in chunk.choices:
            streamed += choice.delta.content or ""
            reason = choice.finish_reason or reason
        usage = chunk.usage or usage
    expect(streamed == text, f"the stream [{streamed}] is the whole answer [{text}]")
    expect(reason == chat.choices[0].finish_reason, "finish reason of the stream")
    expect(usage is not None and usage.total_tokens == chat.usage.total_tokens, "usage of the stream")

    logprobs = client.chat.completions.create(model=model, messages=messages, logprobs=True, top_logprobs=2, **limits)
    content = logprobs.choices[0].logprobs.content
    expect(len(content) == logprobs.usage.completion_tokens, "one entry of logprobs for each token")
    expect(len(content[0].top_logprobs) == 2, "two likely tokens for each")

    completion = client.completions.create(model=model, prompt="Once upon a time", **limits)
    expect(completion.object == "text_completion", "object of a completion")
    completed = "".join(
        choice.text
        for chunk in client.completions.create(model=model, prompt="Once upon a time", stream=True, **limits)
        for choice in chunk.choices
    )
    expect(completed == completion.choices[0].text, "the stream of a completion is the whole one")

    extended = client.completions.create(
        model=model, prompt=[1, 2, 3], extra_body={"return_token_ids": True, "ignore_eos": True, "top_k": 1}, **limits
    )
    expect(extended.usage.prompt_tokens == 3, "a prompt of token ids")
    expect(len(extended.choices[0].model_extra["token_ids"]) == extended.usage.completion_tokens, "token ids are returned")

    response = client.responses.create(model=model, input="Say something about yourself.", max_output_tokens=200, temperature=0)
    expect(response.status == "completed", "status of a response")
    said = ""
    with client.responses.stream(
        model=model, input="Say something about yourself.", max_output_tokens=200, temperature=0
    ) as events:
        for event in events:
            said += event.delta if event.type == "response.output_text.delta" else ""
        expect(events.get_final_response().output_text == said, "the events of a response add up to it")
    expect(said == response.output_text, "the stream of a response is the whole one")

    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"enum": ["Oslo", "Rome"]}}, "required": ["city"],
        "additionalProperties": False}}}]
    for choice in ("required", {"type": "function", "function": {"name": "get_weather"}}):
        asked = client.chat.completions.create(
            model=model, messages=messages, tools=tools, tool_choice=choice, max_tokens=200, temperature=0
        )
        call = asked.choices[0].message.tool_calls[0]
        expect(call.function.name == "get_weather", f"a call where {choice} demands one")
        expect(json.loads(call.function.arguments)["city"] in ("Oslo", "Rome"), "arguments as the schema says")
        with client.chat.completions.stream(
            model=model, messages=messages, tools=tools, tool_choice=choice, max_tokens=200, temperature=0
        ) as events:
            final = events.get_final_completion().choices[0].message
        expect(final.tool_calls[0].function.arguments == call.function.arguments, "the stream of a call is the whole one")
    last = client.chat.completions.create(
        model=model,
        messages=[*messages, final, *({"role": "tool", "tool_call_id": each.id, "content": "Sunny."} for each in final.tool_calls)],
        tools=tools,
        **limits,
    )
    expect(last.choices[0].finish_reason in ("stop", "length"), "the conversation goes on after a result")

    formed = client.chat.completions.create(
        model=model, messages=messages, max_tokens=100, temperature=0, response_format={"type": "json_schema", "json_schema": {
            "name": "city", "schema": {"type": "object", "properties": {"large": {"type": "boolean"}}, "required": ["large"],
                                       "additionalProperties": False}}}
    )
    expect(isinstance(json.loads(formed.choices[0].message.content)["large"], bool), "an answer in the form of the schema")

    vectors = [each.embedding for each in client.embeddings.create(model=model, input=["Hello", "Good bye"]).data]
    for text_of, vector in zip(("Hello", "Good bye"), vectors):
        listed = client.embeddings.create(model=model, input=text_of, encoding_format="float").data[0].embedding
        expect(max(abs(a - b) for a, b in zip(vector, listed)) < 1e-6, "a vector is the same in Base64 and as a list")
        expect(abs(sum(x * x for x in vector) - 1) < 1e-5, "a vector has the length 1")
    expect(vectors[0] != vectors[1], "other texts have other vectors")

    try:
        client.chat.completions.create(model="no-such-model", messages=messages)
        expect(False, "another model does not exist")
    except openai.NotFoundError as error:
        expect("does not exist" in error.message, "message about another model")
    try:
        client.chat.completions.create(model=model, messages=messages, temperature=-1)
        expect(False, "a negative temperature is refused")
    except openai.BadRequestError as error:
        expect(error.param == "temperature", "the refused field is named")

    print(f"ok: openai {openai.__version__} for Python, model {model}, answered {text!r}")


main()
