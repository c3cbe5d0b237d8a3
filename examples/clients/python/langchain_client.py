"""Holds a conversation with LangChain, with a stream, with structured output and with tools.

Usage: python langchain_client.py BASE_URL [API_KEY]; exit code 0 if every answer is as it must be.
"""

import sys
from typing import Literal

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    name: Literal["Oslo", "Rome"]
    large: bool


@tool
def get_weather(city: Literal["Oslo", "Rome"]) -> str:
    """Get the weather of a city."""
    return f"Sunny in {city}."


def expect(condition, what):
    if not condition:
        sys.exit(f"mismatch: {what}")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: python langchain_client.py BASE_URL [API_KEY], for example http://127.0.0.1:8000/v1")
    key = sys.argv[2] if len(sys.argv) > 2 else "none"

    def chat(tokens):
        return ChatOpenAI(
            base_url=sys.argv[1], api_key=key, model="demo", max_tokens=tokens, temperature=0, max_retries=0, timeout=180
        )

    messages = [SystemMessage("Be brief."), HumanMessage("Say something about yourself.")]
    text = chat(16).invoke(messages).content
    streamed = "".join(chunk.content for chunk in chat(16).stream(messages))
    expect(streamed == text, f"the stream [{streamed}] is the whole answer [{text}]")

    city = chat(100).with_structured_output(City, method="json_schema").invoke(messages)
    expect(isinstance(city, City), "an object of the class that was asked for")

    for choice in ("required", "get_weather"):
        answer = chat(200).bind_tools([get_weather], tool_choice=choice).invoke(messages)
        expect(len(answer.tool_calls) >= 1, f"a call where tool_choice {choice} demands one")
        call = answer.tool_calls[0]
        expect(call["name"] == "get_weather", "the name of the tool")
        result = get_weather.invoke(call["args"])
        expect(result.startswith("Sunny in"), "the tool takes the arguments")
    results = [ToolMessage(result, tool_call_id=each["id"]) for each in answer.tool_calls]
    last = chat(16).invoke([*messages, answer, *results])
    expect(isinstance(last.content, str), "the conversation goes on after a result")

    embeddings = OpenAIEmbeddings(base_url=sys.argv[1], api_key=key, model="demo", check_embedding_ctx_length=False)
    first, second = embeddings.embed_documents(["Hello", "Good bye"])
    expect(len(first) == len(second) and first != second, "vectors of documents")
    expect(max(abs(a - b) for a, b in zip(first, embeddings.embed_query("Hello"))) < 1e-6, "a query has the vector of its text")

    print(f"ok: langchain, model demo, answered {text!r}")


main()
