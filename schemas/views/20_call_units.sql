-- One row per unit a call, review or pool used, and part of the prompt it belongs to: what a component may claim from.
CREATE OR REPLACE VIEW call_units AS
SELECT
    call_costs.tenant AS tenant,
    call_costs.trace_id AS trace_id,
    call_costs.span_id AS span_id,
    call_costs.part AS part,
    lines.kind AS kind,
    lines.unit AS unit,
    lines.segment AS segment,
    lines.quantity AS quantity,
    operation,
    provider,
    model,
    role,
    waste,
    stream_end,
    reasoning_visibility,
    review_kind
FROM call_costs FINAL
ARRAY JOIN lines
