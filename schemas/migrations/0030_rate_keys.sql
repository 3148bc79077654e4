-- What decides the price list of a call, beside what it costs, so that other prices can be tried on that alone.
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS rate_key UInt64 COMMENT 'As in `llm_calls`, or of what was read later: what decides the price list. 0: rated before that was kept.' AFTER session
