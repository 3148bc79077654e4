-- One row per claim that is alive, the first of them first.
SELECT
    claim,
    max(turn) AS last_turn
FROM rollup_leases
WHERE startsWith(claim, {among:String})
GROUP BY claim
HAVING argMax(until, turn) > now64(6)
ORDER BY claim
SETTINGS
    select_sequential_consistency = 1
