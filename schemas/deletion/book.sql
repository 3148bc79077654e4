-- One row per line of a closed month that a deletion has changed: it is booked where it was, and corrections are as before.
INSERT INTO booked_lines (* EXCEPT (booking_month, version), booking_month, version)
SELECT
    * EXCEPT (rating_run, quantity, amount, listed, contracted, lines, unpriced),
    max(changed.rating_run) AS rating_run,
    sum(changed.quantity) AS quantity,
    sum(changed.amount) AS amount,
    sum(changed.listed) AS listed,
    sum(changed.contracted) AS contracted,
    sum(changed.lines) AS lines,
    sum(changed.unpriced) AS unpriced,
    greatest(toStartOfMonth(hour, 'UTC'), (SELECT min(month) FROM closed_months WHERE tenant = {tenant:String})),
    {version:UInt64}
FROM (
    SELECT * EXCEPT (booking_month, booking_time, is_correction)
    FROM charges
    WHERE tenant = {tenant:String}
        AND is_correction
        AND booking_month IN (SELECT toDate(open_from) FROM closings WHERE tenant = {tenant:String})
    UNION ALL
    SELECT
        * REPLACE (
            -noted.quantity AS quantity,
            -noted.amount AS amount,
            -noted.listed AS listed,
            -noted.contracted AS contracted,
            -noted.lines AS lines,
            -noted.unpriced AS unpriced
        )
    FROM deletion_corrections AS noted
    WHERE tenant = {tenant:String}
) AS changed
GROUP BY ALL
HAVING sum(changed.quantity) != 0
    OR sum(changed.amount) != 0
    OR sum(changed.listed) != 0
    OR sum(changed.contracted) != 0
    OR sum(changed.lines) != 0
    OR sum(changed.unpriced) != 0
