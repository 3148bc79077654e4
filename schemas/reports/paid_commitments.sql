-- One row per commitment and period that began within a time: what of its fee is booked.
SELECT
    toString(commitment) AS commitment,
    since,
    until,
    fee,
    used + unused AS booked
FROM commitment_periods FINAL
WHERE tenant = {tenant:String}
    AND since >= {since:DateTime}
    AND since < {until:DateTime}
ORDER BY
    commitment,
    since
