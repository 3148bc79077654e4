-- One row per line as it is booked: of open months as it is now, of closed ones as it was; and as a correction in the first
-- open month, what is now and was not, and, negative, what was and is not now. Lines of closed months are sums of lines.
-- `current_lines` has the columns of `booked_lines`, in their order.
CREATE OR REPLACE VIEW charges AS
SELECT
    *,
    toStartOfMonth(hour, 'UTC') AS booking_month,
    hour AS booking_time,
    toUInt8(0) AS is_correction
FROM current_lines
WHERE hour >= (SELECT open_from FROM openings)[toString(tenant)]
UNION ALL
SELECT
    * EXCEPT (booking_month, version),
    booking_month,
    if(toStartOfMonth(hour, 'UTC') = booking_month, hour, toDateTime(booking_month, 'UTC')) AS booking_time,
    toUInt8(toStartOfMonth(hour, 'UTC') != booking_month) AS is_correction
FROM booked_lines
WHERE booking_month < toDate((SELECT open_from FROM openings)[toString(tenant)])
UNION ALL
SELECT
    *,
    toDate((SELECT open_from FROM openings)[toString(tenant)]) AS booking_month,
    (SELECT open_from FROM openings)[toString(tenant)] AS booking_time,
    toUInt8(1) AS is_correction
FROM current_lines
WHERE (tenant, hour) IN (SELECT tenant, hour FROM corrected_hours)
UNION ALL
SELECT
    * EXCEPT (booking_month, version) REPLACE (
        -booked.quantity AS quantity,
        -booked.amount AS amount,
        -booked.listed AS listed,
        -booked.contracted AS contracted,
        -booked.lines AS lines,
        -booked.unpriced AS unpriced
    ),
    toDate((SELECT open_from FROM openings)[toString(tenant)]) AS booking_month,
    (SELECT open_from FROM openings)[toString(tenant)] AS booking_time,
    toUInt8(1) AS is_correction
FROM booked_lines AS booked
WHERE booked.booking_month < toDate((SELECT open_from FROM openings)[toString(tenant)])
    AND (tenant, hour) IN (SELECT tenant, hour FROM corrected_hours)
