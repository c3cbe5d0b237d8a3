"""Holds a conversation with Anthropic's own client, with a stream and with tools.

Usage: python anthropic_client.py BASE_URL [API_KEY], where BASE_URL has no /v1; exit code 0 if every answer is as it must be.
"""

import sys

import anthropic

WEATHER = {
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"enum": ["Oslo", "Rome"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}


def expect(condition, what):
    if not condition:
        sys.exit(f"mismatch: {what}")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: python anthropic_client.py BASE_URL [API_KEY], for example http://127.0.0.1:8000")
    key = sys.argv[2] if len(sys.argv) > 2 else "none"
    client = anthropic.Anthropic(base_url=sys.argv[1], api_key=key, max_retries=0, timeout=180)
    model = "demo"
    chat = {"model": model, "system": "Be brief.", "max_tokens": 16, "extra_body": {"temperature": 0}}
    question = {"role": "user", "content": "Say something about yourself."}

    counted = client.messages.count_tokens(model=model, system="Be brief.", messages=[question])
    answer = client.messages.create(messages=[question], **chat)
    text = answer.content[0].text
    expect(answer.type == "message" and answer.role == "assistant", "an answer is a message of the assistant")
    expect(answer.stop_reason in ("end_turn", "max_tokens"), "stop reason")
    expect(answer.usage.input_tokens == counted.input_tokens, "tokens are counted as they are used")

    with client.messages.stream(messages=[question], **chat) as stream:
        streamed = "".join(stream.text_stream)
        final = stream.get_final_message()
    expect(streamed == text, f"the stream [{streamed}] is the whole answer [{text}]")
    expect(final.usage.output_tokens == answer.usage.output_tokens, "usage of the stream")

    chat["max_tokens"] = 200
    for choice in ({"type": "any"}, {"type": "tool", "name": "get_weather"}):
        asked = client.messages.create(messages=[question], tools=[WEATHER], tool_choice=choice, **chat)
        call = asked.content[-1]
        expect(asked.stop_reason == "tool_use" and call.type == "tool_use", f"a call where {choice} demands one")
        expect(call.name == "get_weather" and call.input["city"] in ("Oslo", "Rome"), f"arguments as the schema says, got {call}")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."}
    last = client.messages.create(
        messages=[question, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}],
        tools=[WEATHER],
        **chat,
    )
    expect(last.stop_reason in ("end_turn", "max_tokens"), "the conversation goes on after a result")

    try:
        client.messages.create(messages=[question], model="no-such-model", max_tokens=1)
        expect(False, "another model does not exist")
    except anthropic.NotFoundError as error:
        expect("does not exist" in str(error), "message about another model")

    print(f"ok: anthropic {anthropic.__version__}, model {model}, answered {text!r}")


main()
