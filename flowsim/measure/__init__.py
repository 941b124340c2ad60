"""What came out: ledgers and logs become tables. Pure functions, one file a family of measures;
`catalogue` has all by name, `estimate` and `warmup` know nothing of hospitals."""
