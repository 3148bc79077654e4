-- One row per line that is to be corrected in the first open month of a tenant.
INSERT INTO deletion_corrections
SELECT
    * EXCEPT (booking_month, booking_time, is_correction, rating_run, quantity, amount, listed, contracted, lines, unpriced),
    max(charges.rating_run) AS rating_run,
    sum(charges.quantity) AS quantity,
    sum(charges.amount) AS amount,
    sum(charges.listed) AS listed,
    sum(charges.contracted) AS contracted,
    sum(charges.lines) AS lines,
    sum(charges.unpriced) AS unpriced
FROM charges
WHERE tenant = {tenant:String}
    AND is_correction
    AND booking_month IN (SELECT toDate(open_from) FROM closings WHERE tenant = {tenant:String})
GROUP BY ALL
HAVING sum(charges.quantity) != 0
    OR sum(charges.amount) != 0
    OR sum(charges.listed) != 0
    OR sum(charges.contracted) != 0
    OR sum(charges.lines) != 0
    OR sum(charges.unpriced) != 0
