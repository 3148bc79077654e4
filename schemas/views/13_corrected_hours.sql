-- One row per tenant and hour of a closed month that has been worked out anew since it was booked last.
-- Hours of which only sums are kept stay as they are, whoever writes these again: that lines go is no correction.
CREATE OR REPLACE VIEW corrected_hours AS
SELECT DISTINCT
    tenant,
    hour
FROM tcoai_by_hour
INNER JOIN closings USING (tenant)
WHERE hour < open_from
    AND tcoai_by_hour.version > booked_version
    AND hour >= (
        SELECT parseDateTimeBestEffortOrZero(max(value), 'UTC')
        FROM rollup_state FINAL
        WHERE name = 'kept'
    )
