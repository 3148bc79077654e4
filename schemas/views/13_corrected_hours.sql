-- One row per tenant and hour of a closed month that has been worked out anew since it was booked last.
CREATE OR REPLACE VIEW corrected_hours AS
SELECT DISTINCT
    tenant,
    hour
FROM tcoai_by_hour
INNER JOIN closings USING (tenant)
WHERE hour < open_from
    AND tcoai_by_hour.version > booked_version
