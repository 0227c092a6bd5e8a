"""What calls cost, what may still be spent, and a ledger that survives being killed."""
