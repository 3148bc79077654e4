-- One row per tenant that has closed a month: when its first open month begins, and the run of the rollup that was booked last.
CREATE OR REPLACE VIEW closings AS
SELECT
    tenant,
    toDateTime(addMonths(max(month), 1), 'UTC') AS open_from,
    max(closed_months.version) AS booked_version
FROM closed_months
GROUP BY tenant
