-- One row per line to book in a month: what was charged in it, and the corrections of those before.
INSERT INTO booked_lines (* EXCEPT (booking_month, version), booking_month, version)
SELECT
    * EXCEPT (booking_month, booking_time, is_correction, rating_run, quantity, amount, listed, contracted, lines, unpriced),
    max(charges.rating_run) AS rating_run,
    sum(charges.quantity) AS quantity,
    sum(charges.amount) AS amount,
    sum(charges.listed) AS listed,
    sum(charges.contracted) AS contracted,
    sum(charges.lines) AS lines,
    sum(charges.unpriced) AS unpriced,
    {month:Date},
    {version:UInt64}
FROM charges
WHERE tenant = {tenant:String}
    AND booking_month = {month:Date}
GROUP BY ALL
HAVING sum(charges.quantity) != 0
    OR sum(charges.amount) != 0
    OR sum(charges.listed) != 0
    OR sum(charges.contracted) != 0
    OR sum(charges.lines) != 0
    OR sum(charges.unpriced) != 0
