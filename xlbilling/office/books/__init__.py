"""The books: accounting's ledger taken in, and held against the journal."""
