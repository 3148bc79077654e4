-- One row per commitment of the price book that holds in the period: FOCUS Contract Commitment 1.4.
WITH
    (
        SELECT max(hour)
        FROM cost_lines
        WHERE tenant = {tenant:String}
    ) AS latest,
    promised AS (
        SELECT
            *,
            kind = 'spend' AS is_spend,
            quantity AS units,
            -- Whole months, else whole days: what begins in the middle of one is no number of months.
            dateDiff('month', valid_from, valid_to) AS months,
            valid_from + toIntervalMonth(months) = valid_to AS is_months,
            intDiv(dateDiff('hour', valid_from, valid_to), 24) AS days,
            multiIf(
                provider = 'openai', 'OpenAI',
                provider = 'anthropic', 'Anthropic',
                startsWith(provider, 'aws.'), 'Amazon Web Services',
                startsWith(provider, 'azure.'), 'Microsoft',
                startsWith(provider, 'gcp.'), 'Google',
                toString(provider)
            ) AS seller
        FROM commitments FINAL
        WHERE tenant = {tenant:String}
            AND rating_run IN (
                SELECT value
                FROM rollup_state FINAL
                WHERE tenant = {everybody:String}
                    AND name = 'rating_run'
            )
            AND valid_from < {until:DateTime64(6)}
            AND valid_to > {since:DateTime64(6)}
    )
SELECT
    (
        SELECT any(toString(currency))
        FROM rating_runs
        WHERE rating_run IN (
            SELECT value
            FROM rollup_state FINAL
            WHERE tenant = {everybody:String}
                AND name = 'rating_run'
        )
    ) AS BillingCurrency,
    -- Globs are more than its rules can say.
    concat(
        '{"IsComplexScope":true,"x_Provider":', toJSONString(toString(provider)), ',"x_Model":', toJSONString(model), '}'
    ) AS ContractCommitmentApplicability,
    if(is_spend, 'Discount', 'Availability') AS ContractCommitmentBenefitCategory,
    if(is_spend, 'Spend', 'Usage') AS ContractCommitmentCategory,
    if(is_spend, toDecimal128(price, 12), NULL) AS ContractCommitmentCost,
    valid_from AS ContractCommitmentCreated,
    toNullable(concat(if(is_spend, 'Spending with ', 'Capacity of '), seller, ', settled by the ', settle)) AS ContractCommitmentDescription,
    if(is_spend, toDecimal128(discount, 12), NULL) AS ContractCommitmentDiscountPercentage,
    multiIf(is_months AND months % 12 = 0, concat(toString(intDiv(months, 12)), ' Year'), is_months, concat(toString(months), ' Month'), concat(toString(greatest(days, 1)), ' Day')) AS ContractCommitmentDurationType,
    transform(toString(settle), ['minute', 'hour', 'day', 'month', 'term'], ['Hourly', 'Hourly', 'Daily', 'Monthly', 'Full Period'], '') AS ContractCommitmentFulfillmentInterval,
    toString(commitment) AS ContractCommitmentId,
    valid_from AS ContractCommitmentLastUpdated,
    multiIf(latest < valid_from, 'Pending', latest >= valid_to, 'Expired', 'Active') AS ContractCommitmentLifecycleStatus,
    'Continuous' AS ContractCommitmentModel,
    'Negotiated' AS ContractCommitmentOfferCategory,
    transform(toString(per), ['month', 'term'], ['Monthly', 'One-Time'], 'Custom') AS ContractCommitmentPaymentInterval,
    if(per = 'term', 'All Upfront', 'No Upfront') AS ContractCommitmentPaymentModel,
    toDecimal128(per = 'term', 12) AS ContractCommitmentPaymentUpfrontPercentage,
    valid_to AS ContractCommitmentPeriodEnd,
    valid_from AS ContractCommitmentPeriodStart,
    toDecimal128(units, 12) AS ContractCommitmentQuantity,
    if(is_spend, 'Spend Commitment', 'Capacity Commitment') AS ContractCommitmentType,
    if(is_spend, NULL, 'Tokens') AS ContractCommitmentUnit,
    toString(commitment) AS ContractId,
    valid_to AS ContractPeriodEnd,
    valid_from AS ContractPeriodStart,
    seller AS InvoiceIssuerName,
    toString(pricing_currency) AS PricingCurrency,
    if(is_spend, toDecimal128(pricing_price, 12), NULL) AS PricingCurrencyContractCommitmentCost,
    seller AS ServiceProviderName
FROM promised
ORDER BY ContractCommitmentId
