-- One row per hour, attribution, provider, model, tier, unit, price, role and component: FOCUS Cost and Usage, all versions.
-- Costs are rounded to 12 digits, largest remainder first, so that a month adds up to its lines, rounded once.
-- What has changed of a closed month is a row that takes back, at the price of then, and one that adds, at that of now.
WITH
    charged AS (
        SELECT
            tenant,
            hour,
            booking_month AS month,
            is_correction,
            charge_kind,
            multiIf(
                charge_kind NOT IN ('commit_used', 'commit_overflow'), charge_kind,
                match(unit, '^(input_|output_|cache_|tool_use_prompt)'), 'token',
                'meter'
            ) AS kind,
            provider,
            model,
            tier,
            unit,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            role,
            component,
            sub_component,
            pool,
            per,
            status,
            is_estimated,
            currency,
            hour + INTERVAL 1 HOUR AS charged_until,
            if(status = 'free', toDecimal128(0, 18), coalesce(list_price, price)) AS list_unit_price,
            if(status = 'free', toDecimal128(0, 18), coalesce(price, list_price)) AS contracted_unit_price,
            toString(max(priced.rating_run)) AS rating_run,
            sum(quantity) AS units,
            sum(priced.lines) AS lines,
            sum(amount) AS effective,
            sum(priced.listed) AS listed,
            sum(priced.contracted) AS contracted
        FROM (
            SELECT
                *,
                toString(kind) AS charge_kind
            FROM charges
            -- A line that commitments cover is there again by what each makes of it.
            WHERE kind != 'unknown'
                AND NOT (kind IN ('token', 'meter') AND status = 'committed')
        ) AS priced
        WHERE tenant = {tenant:String}
            AND booking_time >= {since:DateTime64(6)}
            AND booking_time < {until:DateTime64(6)}
            AND ({profile:String} = 'chargeback' OR kind IN ('token', 'meter', 'commit_unused'))
        GROUP BY ALL
        HAVING lines != 0 OR units != 0 OR effective != 0 OR listed != 0 OR contracted != 0
        UNION ALL
        -- What is owed whether it is used or not; under a linear scheme nothing is, but what was used costs more.
        SELECT
            tenant,
            periods.since AS hour,
            toStartOfMonth(hour) AS month,
            0 AS is_correction,
            'commit_purchase' AS charge_kind,
            'purchase' AS kind,
            promised.provider AS provider,
            '' AS model,
            '' AS tier,
            'commitment' AS unit,
            '' AS team,
            '' AS feature,
            '' AS customer,
            '' AS project,
            '' AS cost_center,
            '' AS environment,
            '' AS role,
            '' AS component,
            '' AS sub_component,
            periods.commitment AS pool,
            toUInt32(1) AS per,
            'committed' AS status,
            0 AS is_estimated,
            runs.currency AS currency,
            periods.until AS charged_until,
            NULL AS list_unit_price,
            NULL AS contracted_unit_price,
            toString(periods.rating_run) AS rating_run,
            toDecimal128(1, 6) AS units,
            1 AS lines,
            periods.fee AS effective,
            periods.fee AS listed,
            periods.fee AS contracted
        FROM commitment_periods AS periods FINAL
        INNER JOIN (
            SELECT
                rating_run,
                commitment,
                provider
            FROM commitments FINAL
            WHERE scheme = 'take_or_pay'
        ) AS promised ON promised.rating_run = periods.rating_run AND promised.commitment = periods.commitment
        LEFT JOIN (
            SELECT
                rating_run,
                any(currency) AS currency
            FROM rating_runs
            GROUP BY rating_run
        ) AS runs ON runs.rating_run = periods.rating_run
        WHERE tenant = {tenant:String}
            AND periods.since >= {since:DateTime64(6)}
            AND periods.since < {until:DateTime64(6)}
            AND periods.fee > 0
            AND {profile:String} = 'provider'
        UNION ALL
        -- What invoices in other currencies came to when they were paid, less what was charged at the rates of the day.
        SELECT
            {tenant:String} AS tenant,
            toDateTime(month, 'UTC') AS hour,
            toDate(paid.2) AS month,
            0 AS is_correction,
            'exchange' AS charge_kind,
            'exchange' AS kind,
            paid.1 AS provider,
            '' AS model,
            '' AS tier,
            concat('exchange_', lower(paid.3)) AS unit,
            '' AS team,
            '' AS feature,
            '' AS customer,
            '' AS project,
            '' AS cost_center,
            '' AS environment,
            '' AS role,
            '' AS component,
            '' AS sub_component,
            '' AS pool,
            toUInt32(1) AS per,
            'paid' AS status,
            0 AS is_estimated,
            paid.5 AS currency,
            toDateTime(month + INTERVAL 1 MONTH, 'UTC') AS charged_until,
            NULL AS list_unit_price,
            NULL AS contracted_unit_price,
            '' AS rating_run,
            toDecimal128(1, 6) AS units,
            1 AS lines,
            toDecimal128(paid.4, 18) AS effective,
            effective AS listed,
            effective AS contracted
        FROM (
            SELECT arrayJoin(arrayZip(
                {paid_providers:Array(String)},
                {paid_months:Array(String)},
                {paid_currencies:Array(String)},
                {paid_differences:Array(String)},
                {charge_currencies:Array(String)}
            )) AS paid
        )
    ),
    -- Whole millionths of a millionth, and what is left of each.
    split AS (
        SELECT
            *,
            arrayMap(
                cost -> toInt256(toDecimal256(cost, 18) * toInt256(1000000000000000000)),
                [effective, listed, contracted]
            ) AS exact,
            arrayMap(cost -> positiveModulo(cost, toInt256(1000000)), exact) AS rest,
            arrayMap((cost, left) -> intDiv(cost - left, toInt256(1000000)), exact, rest) AS whole,
            row_number() OVER (
                PARTITION BY month, currency, kind = 'purchase'
                ORDER BY rest[1] DESC, hour, provider, model, tier, unit, kind, charge_kind, team, feature, customer, project, cost_center,
                    environment, role, component, sub_component, pool, status, list_unit_price, contracted_unit_price,
                    per, is_estimated, is_correction
            ) AS effective_place,
            row_number() OVER (
                PARTITION BY month, currency, kind = 'purchase'
                ORDER BY rest[2] DESC, hour, provider, model, tier, unit, kind, charge_kind, team, feature, customer, project, cost_center,
                    environment, role, component, sub_component, pool, status, list_unit_price, contracted_unit_price,
                    per, is_estimated, is_correction
            ) AS listed_place,
            row_number() OVER (
                PARTITION BY month, currency, kind = 'purchase'
                ORDER BY rest[3] DESC, hour, provider, model, tier, unit, kind, charge_kind, team, feature, customer, project, cost_center,
                    environment, role, component, sub_component, pool, status, list_unit_price, contracted_unit_price,
                    per, is_estimated, is_correction
            ) AS contracted_place
        FROM charged
    ),
    rounded AS (
        SELECT
            *,
            toInt256(roundBankers(sum(toDecimal256(effective, 18)) OVER months, 12) * toInt256(1000000000000))
                - sum(whole[1]) OVER months AS effective_left,
            toInt256(roundBankers(sum(toDecimal256(listed, 18)) OVER months, 12) * toInt256(1000000000000))
                - sum(whole[2]) OVER months AS listed_left,
            toInt256(roundBankers(sum(toDecimal256(contracted, 18)) OVER months, 12) * toInt256(1000000000000))
                - sum(whole[3]) OVER months AS contracted_left,
            arrayMap(
                amount -> toDecimal128(divideDecimal(toDecimal256(amount, 0), toDecimal256(1000000000000, 0), 12), 12),
                [
                    whole[1] + (effective_place <= effective_left),
                    whole[2] + (listed_place <= listed_left),
                    whole[3] + (contracted_place <= contracted_left)
                ]
            ) AS costs
        FROM split
        WINDOW months AS (PARTITION BY month, currency, kind = 'purchase')
    ),
    named AS (
        SELECT
            *,
            isNotNull(list_unit_price) AND kind IN ('token', 'meter', 'review') AS is_rated,
            multiIf(
                kind = 'review', 'Human review',
                kind IN ('used', 'idle', 'fixed'), pool,
                transform(
                    toString(provider),
                    [
                        'openai', 'anthropic', 'aws.bedrock', 'azure.ai.openai', 'azure.ai.inference', 'gcp.gemini', 'gcp.vertex_ai',
                        'mistral_ai', 'cohere', 'groq', 'deepseek', 'perplexity', 'x_ai', 'openrouter'
                    ],
                    [
                        'OpenAI', 'Anthropic', 'Amazon Web Services', 'Microsoft', 'Microsoft', 'Google', 'Google',
                        'Mistral AI', 'Cohere', 'Groq', 'DeepSeek', 'Perplexity', 'xAI', 'OpenRouter'
                    ],
                    if(provider = '', 'Unknown', toString(provider))
                )
            ) AS seller,
            multiIf(
                kind = 'idle', 'Idle capacity',
                kind = 'fixed', 'Platform fee',
                kind = 'commit_unused', 'Unused commitment',
                kind = 'purchase', 'Commitment',
                kind = 'exchange', concat('Exchange Difference of ', upper(substring(toString(unit), 10))),
                unit = 'review_seconds', 'Human Review',
                initcap(replaceAll(toString(unit), '_', ' ')) || if(kind IN ('token', 'used'), ' Tokens', '')
            ) AS meter,
            multiIf(
                kind IN ('token', 'used'), 'Tokens',
                endsWith(unit, '_seconds'), 'Seconds',
                endsWith(unit, '_search'), 'Searches',
                unit = 'web_fetch', 'Fetches',
                unit = 'code_execution', 'Executions',
                initcap(replaceAll(toString(unit), '_', ' '))
            ) AS consumed,
            concat(provider, '/', model, '/', if(kind IN ('idle', 'fixed'), pool, unit)) AS sku,
            if(tier = '', 'standard', toString(tier)) AS price_tier,
            -- Paid for as a commitment: the provider bills it as such, and whoever bills teams bills them this.
            {profile:String} = 'provider' AND charge_kind IN ('commit_used', 'commit_unused') AS is_amortised
        FROM rounded
    )
SELECT
    if(is_amortised, toDecimal128(0, 12), costs[1]) AS BilledCost,
    concat('tokentrace:', tenant) AS BillingAccountId,
    toNullable(toString(tenant)) AS BillingAccountName,
    'Organization' AS BillingAccountType,
    toString(currency) AS BillingCurrency,
    toDateTime(month + INTERVAL 1 MONTH, 'UTC') AS BillingPeriodEnd,
    toDateTime(month, 'UTC') AS BillingPeriodStart,
    multiIf(kind = 'purchase', 'Purchase', kind = 'exchange', 'Adjustment', 'Usage') AS ChargeCategory,
    if(is_correction, 'Correction', NULL) AS ChargeClass,
    toNullable(
        arrayStringConcat(arrayFilter(part -> part != '', [meter, toString(model), if(tier = '', '', price_tier)]), ', ')
    ) AS ChargeDescription,
    multiIf(kind = 'purchase', 'Recurring', kind = 'exchange', 'One-Time', 'Usage-Based') AS ChargeFrequency,
    toDateTime(charged_until, 'UTC') AS ChargePeriodEnd,
    toDateTime(hour, 'UTC') AS ChargePeriodStart,
    if(
        is_covered,
        if(pool IN (SELECT commitment FROM commitments WHERE kind = 'spend'), 'Spend', 'Usage'),
        NULL
    ) AS CommitmentDiscountCategory,
    if(charge_kind IN ('commit_used', 'commit_unused', 'commit_purchase') AS is_covered, toString(pool), NULL) AS CommitmentDiscountId,
    CommitmentDiscountId AS CommitmentDiscountName,
    if(is_covered, costs[1], NULL) AS CommitmentDiscountQuantity,
    if(is_covered AND kind != 'purchase', if(kind = 'commit_unused', 'Unused', 'Used'), NULL) AS CommitmentDiscountStatus,
    if(is_covered, if(CommitmentDiscountCategory = 'Spend', 'Spend Commitment', 'Capacity Commitment'), NULL) AS CommitmentDiscountType,
    if(is_covered, toString(currency), NULL) AS CommitmentDiscountUnit,
    if(is_rated, toDecimal128(units, 12), NULL) AS ConsumedQuantity,
    if(is_rated, consumed, NULL) AS ConsumedUnit,
    costs[3] AS ContractedCost,
    if(
        is_rated,
        toDecimal128(contracted_unit_price * if(kind = 'token', 1000000, 1), 12),
        NULL
    ) AS ContractedUnitPrice,
    if(kind = 'purchase', toDecimal128(0, 12), costs[1]) AS EffectiveCost,
    multiIf(
        kind IN ('used', 'idle', 'fixed'), NULL,
        kind = 'review', {issuer:String},
        seller
    ) AS HostProviderName,
    CAST(NULL, 'Nullable(String)') AS InvoiceId,
    if({profile:String} = 'chargeback', {issuer:String}, seller) AS InvoiceIssuerName,
    costs[2] AS ListCost,
    if(is_rated, toDecimal128(list_unit_price * if(kind = 'token', 1000000, 1), 12), NULL) AS ListUnitPrice,
    if(is_rated, multiIf(is_covered, 'Committed', tier = 'flex', 'Dynamic', 'Standard'), NULL) AS PricingCategory,
    BillingCurrency AS PricingCurrency,
    ContractedUnitPrice AS PricingCurrencyContractedUnitPrice,
    EffectiveCost AS PricingCurrencyEffectiveCost,
    ListUnitPrice AS PricingCurrencyListUnitPrice,
    if(
        is_rated,
        toDecimal128(
            roundBankers(divideDecimal(toDecimal256(units, 6), toDecimal256(if(kind = 'token', 1000000, per), 0), 24), 12),
            12
        ),
        NULL
    ) AS PricingQuantity,
    multiIf(
        NOT is_rated, NULL,
        kind = 'token', '1000000 Tokens',
        per = 3600, 'Hours',
        consumed
    ) AS PricingUnit,
    -- What is billed by another than its provider would have a billed cost of 0.
    if({profile:String} = 'chargeback', {issuer:String}, seller) AS ProviderName,
    if(kind IN ('used', 'idle'), {issuer:String}, seller) AS PublisherName,
    nullIf(toString(pool), '') AS ResourceId,
    nullIf(toString(pool), '') AS ResourceName,
    multiIf(pool = '', NULL, kind = 'fixed', 'Platform', 'Capacity Pool') AS ResourceType,
    multiIf(
        kind IN ('review', 'fixed'), 'Other',
        kind IN ('used', 'idle'), 'Compute',
        'AI and Machine Learning'
    ) AS ServiceCategory,
    multiIf(
        kind = 'review', 'Human review',
        kind = 'fixed', concat('Platform ', pool),
        kind IN ('used', 'idle'), concat('Capacity ', pool),
        concat(seller, ' API')
    ) AS ServiceName,
    if(kind IN ('used', 'idle', 'review'), {issuer:String}, seller) AS ServiceProviderName,
    multiIf(
        kind IN ('review', 'fixed'), 'Other (Other)',
        kind IN ('used', 'idle'), 'Other (Compute)',
        'Generative AI'
    ) AS ServiceSubcategory,
    toNullable(sku) AS SkuId,
    toNullable(meter) AS SkuMeter,
    if(
        is_rated,
        toJSONString(
            mapFilter(
                (name, detail) -> detail != '',
                map(
                    'x_ModelId', toString(model),
                    'x_Processing', price_tier,
                    'x_TokenDirection', multiIf(kind != 'token', '', startsWith(unit, 'output_'), 'Output', 'Input'),
                    'x_TokenCacheAction', multiIf(
                        kind != 'token' OR startsWith(unit, 'output_'), '',
                        startsWith(unit, 'cache_read'), 'Read',
                        startsWith(unit, 'cache_write'), 'Write',
                        'Uncached'
                    ),
                    'x_TokenType', if(unit = 'output_reasoning', 'Reasoning', '')
                )
            )
        ),
        NULL
    ) AS SkuPriceDetails,
    if(is_rated, concat(sku, '/', price_tier, '/', toString(list_unit_price)), NULL) AS SkuPriceId,
    nullIf(toString(team), '') AS SubAccountId,
    nullIf(toString(team), '') AS SubAccountName,
    if(team = '', NULL, 'Team') AS SubAccountType,
    toNullable(
        toJSONString(
            mapFilter(
                (name, tag) -> tag != '',
                map(
                    'feature', toString(feature),
                    'customer', customer,
                    'project', toString(project),
                    'cost_center', toString(cost_center),
                    'environment', toString(environment),
                    'tokentrace/component', toString(component),
                    'tokentrace/role', toString(role)
                )
            )
        )
    ) AS Tags,
    toString(charge_kind) AS x_ChargeKind,
    toString(component) AS x_Component,
    if(is_estimated, 'true', 'false') AS x_IsEstimated,
    lines AS x_LineCount,
    toString(status) AS x_PriceStatus,
    toDecimal128(units, 12) AS x_Quantity,
    toString(rating_run) AS x_RatingRun,
    toString(role) AS x_Role,
    toString(sub_component) AS x_SubComponent,
    toString(unit) AS x_Unit
FROM named
ORDER BY ALL
