-- One row per month of booking, month of charge and currency: what is booked, and what is to be, of what has been closed.
SELECT
    formatDateTime(booking_month, '%Y-%m') AS booking_period,
    formatDateTime(hour, '%Y-%m', 'UTC') AS charge_period,
    currency,
    sum(charges.amount) AS amount,
    sum(charges.lines) AS lines,
    sum(charges.unpriced) AS unpriced
FROM charges
WHERE tenant = {tenant:String}
    AND (
        is_correction
        OR booking_month < (SELECT toDate(max(closings.open_from)) FROM closings WHERE tenant = {tenant:String})
    )
GROUP BY
    booking_period,
    charge_period,
    currency
HAVING amount != 0
    OR lines != 0
    OR unpriced != 0
ORDER BY
    booking_period,
    charge_period,
    currency
