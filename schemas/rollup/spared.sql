-- One row per pool and hour after the horizon that stays allocated as it is, in one word.
SELECT concat(tenant, '\n', pool, '\n', toString(hour)) AS spared
FROM rollup_closed_hours
WHERE hour + INTERVAL 1 HOUR > {horizon:DateTime64(6)}
