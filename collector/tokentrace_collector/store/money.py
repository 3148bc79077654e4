"""What an amount is worth in the currency of the price book, as SQL."""

_PLACE = """arrayFirstIndex(
            (known, begin, end) -> known = if(stated_in = '', 'USD', toString(stated_in))
                AND toUnixTimestamp(moment) >= begin
                AND toUnixTimestamp(moment) < end,
            {currencies:Array(String)},
            {rates_since:Array(Int64)},
            {rates_until:Array(Int64)}
        )"""

WORTH = f"""(amount, stated_in, moment) -> if(
        isNull(amount) OR {_PLACE} = 0,
        NULL,
        toDecimal128(
            roundBankers(
                divideDecimal(
                    toDecimal256(assumeNotNull(amount), 18) * toInt256({{rates:Array(Int64)}}[{_PLACE}]),
                    toDecimal256(1000000000000, 0),
                    36
                ),
                18
            ),
            18
        )
    )"""
"""Of an amount, its currency (empty: that of the catalogue) and a moment; NULL where no rate is known then.

What `Exchange.parameters` tells has to be bound to the statement.
"""
