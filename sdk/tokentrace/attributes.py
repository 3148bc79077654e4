"""Generated from schemas/registry/attributes.yaml; do not edit."""

# ruff: noqa: E501, S105

OPERATION = "gen_ai.operation.name"
"""What was asked of the model: chat, text_completion, embeddings, generate_content, …"""

PROVIDER = "gen_ai.provider.name"
"""Provider, by the OpenTelemetry names of providers.yaml."""

REQUEST_MODEL = "gen_ai.request.model"
"""Model, deployment or alias that the application asked for."""

REQUEST_STREAM = "gen_ai.request.stream"
"""The application asked for a stream."""

RESPONSE_MODEL = "gen_ai.response.model"
"""Model that answered; the one that is priced."""

RESPONSE_ID = "gen_ai.response.id"
"""The provider's id of the response."""

FINISH_REASONS = "gen_ai.response.finish_reasons"
"""Why generation stopped, one per choice."""

TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
"""From the request to the first piece of a streamed answer."""

SERVER_ADDRESS = "server.address"
"""Host the request was sent to."""

SERVER_PORT = "server.port"
"""Port, when it is not 443."""

ERROR_TYPE = "error.type"
"""Class of the error that ended the operation."""

HTTP_STATUS = "http.response.status_code"
"""Status of one HTTP attempt."""

TOOL_NAME = "gen_ai.tool.name"
"""Tool that a step executed."""

TOOL_CALL = "gen_ai.tool.call.id"
"""The model's id of the tool call that a tool executes."""

AGENT_NAME = "gen_ai.agent.name"
"""Agent that a step belongs to."""

WORKFLOW_NAME = "gen_ai.workflow.name"
"""Workflow that is run."""

CONVERSATION = "gen_ai.conversation.id"
"""Session or thread of messages, as the application or its framework calls it."""

DATA_SOURCE = "gen_ai.data_source.id"
"""Where a retrieval looks."""

PARENT = "tokentrace.parent.span_id"
"""Id of our span around this one, in 16 hexadecimal digits, where a span of somebody else stands between, which may never arrive."""

SERVICE_TIER = "tokentrace.billing.service_tier"
"""Tier that answered, when it changes the price: flex, priority, fast, batch, …"""

REGION = "tokentrace.billing.region"
"""Region that the provider reported, or that was asked, when it changes the price."""

INPUT_TOKENS = "gen_ai.usage.input_tokens"
"""All input tokens, cached ones included: the sum of the input buckets."""

OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
"""All output tokens, hidden ones included: the sum of the output buckets."""

CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
"""Input tokens read from a cache."""

CACHE_WRITE_TOKENS = "gen_ai.usage.cache_write.input_tokens"
"""Input tokens written to a cache."""

REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
"""Output tokens spent on reasoning, as reported."""

USAGE = "tokentrace.usage."
"""Tokens of one disjoint bucket; absent where the provider did not say."""

METER = "tokentrace.meter."
"""Billed count of one meter that is not tokens: web_search, images, audio_seconds, …"""

USAGE_SCOPE = "tokentrace.usage.scope"
"""call: the counts belong to exactly this provider call. aggregate: they repeat calls inside, never to be summed. retrieve: they were read again from a stored response."""

USAGE_SOURCE = "tokentrace.usage.source"
"""Where the counts come from."""

USAGE_FLAGS = "tokentrace.usage.flags"
"""What is special about the counts: cache_ttl_assumed, inconsistent, output_lower_bound, batch, main_is_sum_of_parts, top_level_disagrees, tool_use_prompt_free, provider_may_bill_more."""

USAGE_PARTS = "tokentrace.usage.parts"
"""JSON array of separately priced parts of the answer: [{kind, model, buckets, meters}]."""

BILLABLE = "tokentrace.usage.billable"
"""Whether the provider bills the call; absent means yes."""

REPORTED_COST = "tokentrace.cost.reported"
"""What somebody says the call cost, as a decimal string."""

REPORTED_COST_CURRENCY = "tokentrace.cost.currency"
"""ISO 4217 code of that cost."""

COST_REPORTER = "tokentrace.cost.reporter"
"""Who says so: the name of the provider that bills it, or of what computed it on the way: litellm, claude_code."""

REASONING_SOURCE = "tokentrace.reasoning.source"
"""How the reasoning count was obtained."""

REASONING_VISIBILITY = "tokentrace.reasoning.visibility"
"""How much of the reasoning the caller can read."""

ESTIMATE_COUNTS = "tokentrace.estimate.counts"
"""Which counts nobody reported, so that they were counted here: input, output, reasoning."""

ESTIMATE_METHOD = "tokentrace.estimate.method"
"""How they were counted: the encoding, or `heuristic` where its ranks are not on the machine, and the factor that the model takes of it: o200k_base*1.12."""

ESTIMATE_ERROR = "tokentrace.estimate.error."
"""How far input, output or reasoning may be off, as a part of the estimate; absent where nobody can say, as of reasoning out of sight. Of an answer that broke off, for what has arrived."""

BILLING_RISK = "tokentrace.billing.risk"
"""full_generation: an answer that was left early may be billed as if it had been read to its end."""

OUTPUT_LIMIT = "tokentrace.billing.output_limit"
"""The most output that was asked for, where there is such a risk."""

DELIVERED = "tokentrace.delivered."
"""Of a streamed answer that did not come to its end, or a response that was cancelled: tokens of one bucket of the output that had come to the application, counted like an estimate and never more than the bucket has. output_text is always told, output_reasoning only where nothing else had come; absent on every other answer, and where nobody can say."""

STREAM_END = "tokentrace.stream.end"
"""How a streamed answer ended."""

INPUT = "tokentrace.input."
"""Share of the input that is system, tool_definitions, history, tool_results, user, retrieved or media."""

INPUT_SEGMENTS = "tokentrace.input.segments"
"""The shares in prompt order, as kind:tokens."""

OUTPUT_TOOL_CALLS = "tokentrace.output.tool_calls"
"""Calls of tools of the application in the answer, where there are any and the format tells of them elsewhere than in the finish reason."""

PREFIX_REPEATED = "tokentrace.prefix.repeated"
"""Input tokens at the beginning of the prompt that this process has sent to the same model before."""

PREFIX_CACHEABLE = "tokentrace.prefix.cacheable"
"""The part of the repeated prefix that was sent within the last hour, where it has the 1,024 tokens that a cache asks for; what was read from a cache of it stands in tokentrace.usage.cache_read."""

ATTEMPTS = "tokentrace.attempts"
"""HTTP requests that the call took."""

ATTEMPT_NUMBER = "tokentrace.attempt.number"
"""1 for the first HTTP request of the call."""

ATTEMPT_WAIT = "tokentrace.attempt.wait"
"""Wait before this attempt."""

ATTEMPT_BILLABLE = "tokentrace.attempt.billable"
"""Whether the provider bills the attempt."""

RETRY_AFTER = "tokentrace.attempt.retry_after"
"""How long the provider asked to be left alone after this attempt."""

ATTEMPT_INPUT = "tokentrace.attempt.estimate.input"
"""Input tokens that an attempt asked for which got no answer: it was billed none of them, or all, and perhaps what it had written by then, which nobody knows. In no count of the call; absent on the attempt that those are of."""

ATTEMPT_METHOD = "tokentrace.attempt.estimate.method"
"""How they were counted: same_request where the attempt that was answered asked the same and its count was reported, else as in tokentrace.estimate.method."""

ATTEMPT_ERROR = "tokentrace.attempt.estimate.error"
"""How far they may be off, as a part of the estimate; absent where nobody can say."""

RATE_LIMIT = "tokentrace.rate_limit."
"""limit, remaining and reset (seconds) of requests, tokens, input_tokens and output_tokens, as of the last answer: tokentrace.rate_limit.remaining.tokens."""

QUEUE_WAIT = "tokentrace.queue.wait"
"""How long the request waited at the provider before it was worked on, where the provider says so."""

THROTTLE_WAIT = "tokentrace.throttle.wait"
"""How long the call waited because the provider had refused an attempt as too many, or was overloaded."""

STEP = "tokentrace.step.name"
"""Name of a section of the application or agent."""

STEP_KIND = "tokentrace.step.kind"
"""What kind of section it is."""

ROLE = "tokentrace.role"
"""What a call was for."""

ROLE_SOURCE = "tokentrace.role_source"
"""How the role was decided; the tables know more, see role_sources."""

WORK_UNIT = "tokentrace.work_unit.id"
"""What a workflow works on, such as an order: its runs are one piece of work, done again."""

TEAM = "tokentrace.attribution.team"
"""Team that answers for the cost."""

FEATURE = "tokentrace.attribution.feature"
"""Product feature."""

CUSTOMER = "tokentrace.attribution.customer.id"
"""Customer that is served."""

PROJECT = "tokentrace.attribution.project.id"
"""Project."""

COST_CENTER = "tokentrace.attribution.cost_center"
"""Cost centre."""

TAG = "tokentrace.attribution.tag."
"""Free tag."""

ENVIRONMENT = "deployment.environment.name"
"""Deployment environment; usually a resource attribute."""

USER = "user.id"
"""End user."""

SESSION = "session.id"
"""Session or conversation of the end user."""

REVIEW_KIND = "tokentrace.review.kind"
"""Kind of human work."""

REVIEW_DECISION = "tokentrace.review.decision"
"""Decision that was taken."""

REVIEW_ACTIVE = "tokentrace.review.active_time"
"""Seconds of attention that were spent."""

REVIEW_WAIT = "tokentrace.review.wait_time"
"""Seconds that the request waited for a person."""

REVIEWER_ROLE = "tokentrace.review.reviewer.role"
"""Role in the rate card."""

REVIEWER_ID = "tokentrace.review.reviewer.id"
"""Reviewer; personal data, opt-in."""

OUTCOME_STATUS = "tokentrace.outcome.status"
"""What the request achieved."""

OUTCOME_VALUE = "tokentrace.outcome.value"
"""Business value, as a decimal string."""

OUTCOME_CURRENCY = "tokentrace.outcome.currency"
"""ISO 4217 code of the value."""

OUTCOME_UNITS = "tokentrace.outcome.units"
"""How many units the request brought about, as a decimal string."""

OUTCOME_UNIT = "tokentrace.outcome.unit_name"
"""What the units are, such as tickets."""

REJECT_REASON = "tokentrace.reject.reason"
"""Why output was not used, such as schema or guardrail; on a span of its own, below the section whose output it was."""

REJECT_EXTENT = "tokentrace.reject.extent"
"""What was rejected: the latest answer in the section, or all that was called in it until then."""

REJECTED_RESPONSE = "tokentrace.reject.response_id"
"""The provider's id of the rejected response, where it is known."""

ACCEPTED_RESPONSE = "tokentrace.accept.response_id"
"""On a span that accepts what had come of an answer that broke: the provider's id of its response, where it is known."""

REPORT = "tokentrace.report"
"""On a span that only reports on its trace, perhaps days later: the trace lasts no longer for it."""

TOKEN_TYPE = "gen_ai.token.type"
"""Which tokens are counted."""

LOSS_REASON = "tokentrace.loss.reason"
"""Why spans never arrive: dropped = more than memory holds, or the end could wait for; displaced = more than the disk holds; unreadable = damaged on disk; refused = by the collector; earlier = noted by an earlier process that was killed."""

RATE_LIMIT_KIND = "tokentrace.rate_limit.kind"
"""What is limited."""

REPAIRED = "tokentrace.repaired"
"""On a span whose times cannot be: what it said, before the collector put them right."""

ATTEMPT_EVENT = "tokentrace.attempt"
"""One HTTP request of a call, on the span of a call that took several or failed."""

TOKEN_METRIC = "gen_ai.client.token.usage"
"""Input and output tokens of a call, as reported."""

DURATION_METRIC = "gen_ai.client.operation.duration"
"""How long a call took, all its attempts included."""

FIRST_CHUNK_METRIC = "gen_ai.client.operation.time_to_first_chunk"
"""From the request to the first piece of a streamed answer."""

THROTTLE_METRIC = "tokentrace.client.throttle.wait"
"""How long a call waited because its provider refused it as too many."""

REMAINING_METRIC = "tokentrace.client.rate_limit.remaining"
"""What is left of a limit, by tokentrace.rate_limit.kind."""

ESTIMATED_METRIC = "tokentrace.client.calls.estimated"
"""Calls whose counts are estimated."""

MISSING_METRIC = "tokentrace.client.calls.missing"
"""Calls that nobody reported the counts of."""

DUPLICATE_METRIC = "tokentrace.client.calls.duplicate"
"""Calls that repeat what others count: wrappers around other calls, and stored answers that were read again."""

DELIVERED_METRIC = "tokentrace.client.spans.delivered"
"""Spans of this process that the collector has taken."""

SPOOLED_METRIC = "tokentrace.client.spans.spooled"
"""Spans of this process that were put on disk, for the collector did not take them in time."""

REPLAYED_METRIC = "tokentrace.client.spans.replayed"
"""Spans that the collector has taken from the disk, those of earlier processes included."""

LOST_METRIC = "tokentrace.client.spans.lost"
"""Spans that will never arrive, by tokentrace.loss.reason."""

INPUT_BUCKETS = (
    "input_text",
    "input_audio",
    "input_image",
    "input_video",
    "cache_read",
    "cache_read_audio",
    "cache_read_image",
    "cache_read_video",
    "cache_write_5m",
    "cache_write_30m",
    "cache_write_1h",
    "cache_write_12h",
    "cache_write_unknown",
    "tool_use_prompt",
)
"""Disjoint buckets of the input."""

OUTPUT_BUCKETS = (
    "output_text",
    "output_reasoning",
    "output_audio",
    "output_image",
    "output_rejected_prediction",
)
"""Disjoint buckets of the output."""

BUCKETS = INPUT_BUCKETS + OUTPUT_BUCKETS

METERS = (
    "web_search",
    "x_search",
    "web_fetch",
    "file_search",
    "code_execution",
    "search_units",
    "images",
    "pages",
    "audio_seconds",
    "video_seconds",
    "characters",
    "cache_token_hours",
    "guardrail_units",
)
"""Billed counts that are not tokens."""

ROLES = (
    "answer",
    "plan",
    "route",
    "tool_select",
    "tool_result",
    "verify",
    "summarise",
    "memory",
    "guardrail",
    "delegate",
    "retrieve",
    "compact",
    "unknown",
)
"""What a call can be for."""
