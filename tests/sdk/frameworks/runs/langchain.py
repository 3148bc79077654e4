"""Agents of LangChain, which LangGraph runs."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from frameworks.runs import places
from frameworks.runs.places import TURNS, delegated
from frameworks.runs.run import Run
from frameworks.turn import fails

USER = {"messages": [{"role": "user", "content": "How is Rome?"}]}
DELEGATED = delegated(question="Rome?")
search, weather = tool(places.search), tool(places.weather)


def model(url: str, **options: Any) -> ChatOpenAI:
    """A model that tells its usage when it streams, too."""
    return ChatOpenAI(model="gpt-5", base_url=url, api_key="-", stream_usage=True, **options)


def written(url: str, **options: Any) -> Any:
    """An agent as the documentation begins with."""
    return create_agent(model(url, **options), tools=[search, weather], system_prompt="Be brief.", name="meteorologist")


def desk(url: str) -> Any:
    """A graph whose node is an agent, one of whose tools is another."""
    expert = create_agent(model(url), tools=[search], name="expert")

    @tool
    def ask_expert(question: str) -> str:
        """Ask one who knows."""
        return str(expert.invoke({"messages": [("user", question)]})["messages"][-1].content)

    lead = create_agent(model(url), tools=[ask_expert], name="lead")
    built = StateGraph(MessagesState).add_node("answer", lead).add_edge(START, "answer")
    return built.compile(name="desk")


def _said(state: Any) -> str:
    return str(state["messages"][-1].text)


def _streamed(url: str) -> str:
    return _said(list(written(url).stream(USER, stream_mode="values"))[-1])


_ALONE = {
    "turns": (fails(429), *TURNS),
    "said": "It is warm.",
    "agents": ("meteorologist",),
    "tools": ("search", "weather"),
}
RUNS = (
    Run("agent", play=lambda url: _said(written(url).invoke(USER)), **_ALONE),
    Run("streamed", play=_streamed, **_ALONE),
    Run("through Responses", play=lambda url: _said(written(url, use_responses_api=True).invoke(USER)), **_ALONE),
    Run(
        "agent as a tool",
        turns=DELEGATED,
        play=lambda url: _said(desk(url).invoke(USER)),
        said="It is in Italy.",
        agents=("lead", "expert"),
        tools=("ask_expert", "search"),
    ),
)
