-- One row per currency in which somebody said what calls of a provider cost that were charged so.
SELECT DISTINCT if(reported_currency = '', 'USD', toString(reported_currency)) AS currency
FROM call_costs FINAL
WHERE tenant = {tenant:String}
    AND provider = {provider:String}
    AND hour >= {since:DateTime}
    AND hour < {until:DateTime}
    AND has(lines.status, 'reported')
